import { setTimeout as pause } from "node:timers/promises";
import { HOLDER_IMAGE, holderCommand } from "./holder.js";
import type { PeerTool } from "./peers.js";

const NAME = "holder";
const RETRY_MS = 20;
const START_DEADLINE_MS = 60_000;
/** containerd may not have let go of the checkpoint that Docker is about to hand it again. */
const NOT_YET = "already exists";

/** Docker's own way, on one host: `checkpoint create` and `start --checkpoint`, which since Docker 28 works without a network of its own only. */
export const dockerTool: PeerTool = {
  name: "docker",
  async start(node, sizeMiB) {
    // Docker has no flag for it.
    await node.exec(["sh", "-c", "mkdir -p /etc/criu && echo tcp-established >/etc/criu/runc.conf"]);
    const flags = ["--network", "host", "--userns", "host", "--runtime", "runc"];
    await node.exec(["docker", "run", "--detach", "--name", NAME, ...flags, HOLDER_IMAGE, ...holderCommand(sizeMiB)]);
  },
  async cycle(node, run) {
    await node.exec(["docker", "checkpoint", "create", NAME, `run${run}`]);
    const end = performance.now() + START_DEADLINE_MS;
    for (let attempt = 1; ; attempt++) {
      const { exitCode, stderr } = await node.exec(["docker", "start", "--checkpoint", `run${run}`, NAME], { reject: false });
      if (exitCode === 0)
        return attempt === 1 ? null : `"docker start --checkpoint" was refused at first ("… ${NOT_YET}"), and asked again`;
      if (!stderr.includes(NOT_YET) || performance.now() > end) throw new Error(stderr);
      await pause(RETRY_MS);
    }
  },
  async tidy(node, run) {
    await node.exec(["docker", "checkpoint", "rm", NAME, `run${run}`]);
  },
  async remove(node) {
    await node.exec(["docker", "rm", "--force", NAME], { reject: false });
  },
};
