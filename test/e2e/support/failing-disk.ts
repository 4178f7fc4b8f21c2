import type { LabNode } from "../../../lab/docker-host.js";

/** What systeminformation finds of the disk that stands in. */
export const STAND_IN_MODEL = "STAND-IN FOR A FAILING DISK";
const PROGRAM = "/opt/stand-in-for-a-failing-disk";

/** Answers as lsblk and smartctl do where a disk fails its own test; smartctl's status then has the bit for that. */
const SCRIPT = `#!/bin/sh
case $0 in
*/lsblk) echo '{"blockdevices": [{"name": "sda", "type": "disk", "size": 1000204886016, "model": "${STAND_IN_MODEL}"}]}' ;;
*/smartctl)
  echo '{"smartctl": {"argv": ["smartctl", "-a", "-j", "/dev/sda"]}, "smart_status": {"passed": false}}'
  exit 8
  ;;
esac
`;

/** Gives a node a disk that predicts its own failure; the lab's machine has none. The collector asks when it starts. */
export async function plugInFailingDisk(node: LabNode): Promise<void> {
  const install = `cat >${PROGRAM} && chmod 755 ${PROGRAM} && ln -sf ${PROGRAM} /usr/bin/lsblk && ln -sf ${PROGRAM} /usr/sbin/smartctl`;
  await node.exec(["sh", "-c", install], { input: SCRIPT });
}
