import { readdir, readFile, readlink } from "node:fs/promises";

/** The processes that have to do with a workload, as this node numbers them. */
export interface Members {
  /** Its init and all below it: what CRIU saves. */
  readonly tree: readonly number[];
  /** In its pid namespace, yet not below its init: they would be left behind. */
  readonly strays: readonly number[];
}

/**
 * Read while the workload runs, so by asking each process for its parent: the kernel's list of a process's children leaves some out when
 * others end meanwhile (proc(5)).
 */
export async function readMembers(initPid: number): Promise<Members> {
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    const parent = /^\d+$/.test(entry) ? await parentOf(Number(entry)) : null;
    if (parent !== null) parents.set(Number(entry), parent);
  }
  const own = await namespaceOf(initPid, "pid");
  const tree: number[] = [];
  const strays: number[] = [];
  for (const pid of parents.keys()) {
    if ((await ancestor(initPid, pid, async (from) => parents.get(from) ?? null)) === "found") tree.push(pid);
    else if (own !== null && (await namespaceOf(pid, "pid")) === own && (await ancestor(initPid, pid, parentOf)) === "other")
      strays.push(pid);
  }
  return { tree, strays };
}

/** Whether a process is, or descends from, another; `gone`: its line of descent broke off, so it or its parent has ended meanwhile. */
async function ancestor(top: number, pid: number, parent: (of: number) => Promise<number | null>): Promise<"found" | "other" | "gone"> {
  let at: number | null = pid;
  while (at !== null && at !== top && at > 1) at = await parent(at);
  return at === null ? "gone" : at === top ? "found" : "other";
}

/** Null when the process is gone. */
async function parentOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
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
