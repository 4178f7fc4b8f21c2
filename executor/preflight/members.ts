import { readdir, readFile, readlink } from "node:fs/promises";

/** The processes that have to do with a workload, as this node numbers them. */
export interface Members {
  /** Its init and all below it: what CRIU saves. */
  readonly tree: readonly number[];
  /** In its pid namespace, yet not below its init: they would be left behind. */
  readonly strays: readonly number[];
}

export async function readMembers(initPid: number): Promise<Members> {
  const own = await namespaceOf(initPid, "pid");
  const tree = await readTree(initPid);
  const inTree = new Set(tree);
  const others: number[] = [];
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || inTree.has(pid)) continue;
    if (own !== null && (await namespaceOf(pid, "pid")) === own) others.push(pid);
  }
  // What was forked meanwhile is below the init by now, or gone.
  const later = new Set(others.length === 0 ? [] : await readTree(initPid));
  const strays: number[] = [];
  for (const pid of others) if (!later.has(pid) && (await namespaceOf(pid, "pid")) === own) strays.push(pid);
  return { tree, strays };
}

/** A running tree changes while it is read: a process that is gone meanwhile has nothing to save. */
async function readTree(pid: number): Promise<number[]> {
  const pids = [pid];
  for (const task of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const children = (await readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => "")).trim();
    for (const child of children === "" ? [] : children.split(" ")) pids.push(...(await readTree(Number(child))));
  }
  return pids;
}

/** Null when the process is gone. */
export async function namespaceOf(pid: number, kind: string): Promise<string | null> {
  return readlink(`/proc/${pid}/ns/${kind}`).catch(() => null);
}

/** How a message names a process: `nginx (1234)`. */
export async function nameOf(pid: number): Promise<string> {
  const command = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "?")).trim();
  return `${command} (${pid})`;
}
