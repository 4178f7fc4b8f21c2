import type { LabNode } from "../../../lab/docker-host.js";
import { type LabContainer, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { waitFor } from "../../support/wait-for.js";

const CHILDREN = 3;
/** In which each of them checks all of the memory once. */
const TURN_SECONDS = 8;
const CHECKS = "/tmp/checks";

/** One process that holds memory, and its children, which have it from before they were forked, at once or when it gets SIGUSR1. Each checks it piece by piece, without an end. */
const program = (megabytes: number, isLate: boolean) => `
import os, signal, time, zlib

PIECE = 1 << 20
held = os.urandom(${megabytes} << 20)
right = [zlib.crc32(held[at:at + PIECE]) for at in range(0, len(held), PIECE)]
out = os.open("${CHECKS}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def fork(*_):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    for _ in range(${CHILDREN}):
        if os.fork() == 0:
            return

${isLate ? "signal.signal(signal.SIGUSR1, fork)" : "fork()"}
number = 0
while True:
    at = number % len(right)
    isRight = zlib.crc32(held[at * PIECE:(at + 1) * PIECE]) == right[at]
    os.write(out, b"%d %d %s\\n" % (os.getpid(), number, b"right" if isRight else b"wrong"))
    number += 1
    time.sleep(${TURN_SECONDS} / ${megabytes})
`;

export interface ForkedFamily extends LabContainer {
  readonly megabytes: number;
}

/** Its limit bears its memory once, but not once for each process. */
const forked = (megabytes: number, isLate = false): ForkedFamily => ({
  ...WORKLOADS.find(({ name }) => name === "rewriter")!,
  name: "forked",
  command: ["python3", "-S", "-B", "-c", program(megabytes, isLate)],
  address: "10.77.0.155",
  macAddress: "02:45:4b:00:00:9b",
  memoryLimitBytes: (2 * megabytes + 16) * (1 << 20),
  megabytes,
});

export const FORKED = forked(64);
export const SMALL_FORKED = forked(16);
export const FORKED_LATE: ForkedFamily = {
  ...forked(64, true),
  name: "forked-late",
  address: "10.77.0.156",
  macAddress: "02:45:4b:00:00:9c",
};

interface Family {
  /** In their container. */
  readonly pids: string;
  readonly checks: number;
  readonly wrong: number;
  /** What they have of the node's memory, shared pages counted once. */
  readonly residentBytes: number;
  /** How often Docker has started it again. */
  readonly restarts: number;
}

/** As it is after each of them has checked some more. */
export async function readFamily(node: LabNode, { name, megabytes }: ForkedFamily): Promise<Family> {
  const shell = async (script: string) => (await node.exec(["sh", "-c", script])).stdout;
  const lines = async () => (await shell(`docker exec ${name} cat ${CHECKS} || true`)).trim().split("\n");
  const counts = (read: readonly string[]) => {
    const ofPid = new Map<string, number>();
    for (const line of read) ofPid.set(line.split(" ")[0]!, (ofPid.get(line.split(" ")[0]!) ?? 0) + 1);
    return ofPid;
  };
  // Its children come once it has summed up its memory.
  const before = await waitFor(
    "all of them",
    async () => {
      const ofPid = counts(await lines());
      return ofPid.size === CHILDREN + 1 ? ofPid : null;
    },
    { deadlineSeconds: 120, everyMilliseconds: 500 },
  );
  // A whole turn, so that nobody has a page yet to be brought.
  const after = await waitFor(
    "each of them to check all of the memory",
    async () => {
      const now = await lines();
      const ofPid = counts(now);
      return [...ofPid].every(([pid, count]) => count >= (before.get(pid) ?? 0) + megabytes) ? now : null;
    },
    { deadlineSeconds: 120, everyMilliseconds: 500 },
  );
  const rollups = await shell(`for pid in $(docker top ${name} -o pid | tail -n +2); do grep '^Pss:' /proc/$pid/smaps_rollup; done`);
  const kilobytes = rollups.split("\n").map((line) => Number(/(\d+) kB/.exec(line)?.[1] ?? 0));
  const { RestartCount } = await node.docker.getContainer(name).inspect();
  return {
    restarts: RestartCount,
    pids: [...counts(after).keys()].sort().join(" "),
    checks: after.length,
    wrong: after.filter((line) => !line.endsWith(" right")).length,
    residentBytes: kilobytes.reduce((sum, size) => sum + size, 0) * 1024,
  };
}
