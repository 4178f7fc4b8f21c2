import { stat } from "node:fs/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { nameOf, readMembers } from "../../preflight/members.js";
import { type OpenFile, readOpenFiles } from "../../preflight/open-files.js";
import type { WorkloadDescription } from "../engine.js";
import { inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { readTree } from "./processes.js";

/** A container among those that share one /dev/shm, by its first process. */
export interface Sharer {
  readonly name: string;
  readonly pid: number;
}

/** What is one file now would be one for each container afterwards. */
export interface Divided {
  readonly path: string;
  readonly holders: readonly { readonly name: string; readonly pid: number }[];
}

type Held = Pick<OpenFile, "pid" | "target"> & { readonly inode: number; readonly names: number; readonly isFifo: boolean };

/** Those that share the IPC namespace of a workload that others have joined, itself first. */
export async function readSharers(host: DockerHost, { containerId, name, sharedIpc }: WorkloadDescription): Promise<Sharer[]> {
  const all = [{ containerId, name }, ...sharedIpc.joiners];
  return Promise.all(all.map(async (each) => ({ name: each.name, pid: (await inspect(host, each.containerId)).State.Pid })));
}

/**
 * A file of a shared /dev/shm that CRIU would make once for each container, as its images of each have all that is known of it: one without a name that
 * several have open, or a FIFO. Null = there is none. @param treeOf processes of a container, by its first
 */
export async function findDivided(
  sharers: readonly Sharer[],
  treeOf: (pid: number) => Promise<readonly number[]> = async (pid) => (await readMembers(pid)).tree,
): Promise<Divided | null> {
  const { dev } = await stat(`/proc/${sharers[0]?.pid}/root/dev/shm`);
  const held = await Promise.all(
    sharers.map(async ({ name, pid }) => {
      const files = await readOpenFiles(await treeOf(pid));
      const own = files.flatMap(({ stat, ...file }) =>
        stat === null || stat.dev !== dev ? [] : [{ ...file, inode: stat.ino, names: stat.nlink, isFifo: stat.isFIFO() }],
      );
      return { name, files: own };
    }),
  );
  return judgeHeld(held);
}

/** @param held what each has open in the shared /dev/shm, and what it has mapped of it under a name that is gone */
export function judgeHeld(held: readonly { readonly name: string; readonly files: readonly Held[] }[]): Divided | null {
  const byInode = new Map<number, Map<string, Held>>();
  for (const { name, files } of held) {
    for (const file of files) {
      const isDeleted = file.target.endsWith(" (deleted)");
      // CRIU gives it a name in the same folder while it dumps, which the owner's copy of that folder may be too early for.
      if (isDeleted && file.names > 0) return { path: file.target, holders: [{ name, pid: file.pid }] };
      if (isDeleted || file.isFifo) byInode.set(file.inode, new Map(byInode.get(file.inode)).set(name, file));
    }
  }
  const divided = [...byInode.values()].find((holders) => holders.size > 1);
  if (divided === undefined) return null;
  const [[, first]] = divided as unknown as [[string, Held]];
  return { path: first.target, holders: [...divided].map(([name, { pid }]) => ({ name, pid })) };
}

/** Once more, of those that all stand still, what preflight has found in order: a name can be gone since. @throws CHECKPOINT_FAILED */
export async function assertUndivided(sharers: readonly Sharer[]): Promise<void> {
  const divided = sharers.length === 0 ? null : await findDivided(sharers, readTree);
  if (divided !== null)
    throw new EvenkeelError("CHECKPOINT_FAILED", `${await describeDivided(divided)}, which would be one for each of them afterwards`);
}

export async function describeDivided({ path, holders }: Divided): Promise<string> {
  const words = await Promise.all(holders.map(async ({ name, pid }) => `${await nameOf(pid)} of ${name}`));
  return `${words.join(" and ")} ${words.length > 1 ? "have" : "has"} ${path} open`;
}
