import type { Stats } from "node:fs";
import { readdir, readFile, readlink, stat } from "node:fs/promises";

/** A descriptor of a process, or a file that it has mapped. */
export interface OpenFile {
  readonly pid: number;
  /** Null: mapped, not open. */
  readonly descriptor: number | null;
  /** What /proc says it is: a path, `socket:[1]`, `anon_inode:[eventpoll]` … */
  readonly target: string;
  /** Null for what is not a file. */
  readonly stat: Stats | null;
}

/** Files that other ways carry although they have no name: memfd, SysV and shared anonymous memory. */
const NAMELESS_MEMORY = /^\/(memfd:|SYSV|dev\/zero|anon_hugepage)/;

export async function readOpenFiles(pids: readonly number[]): Promise<OpenFile[]> {
  const lists = await Promise.all(pids.map(async (pid) => [...(await readDescriptors(pid)), ...(await readDeletedMappings(pid))]));
  return lists.flat();
}

async function readDescriptors(pid: number): Promise<OpenFile[]> {
  const files: OpenFile[] = [];
  for (const name of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const path = `/proc/${pid}/fd/${name}`;
    const target = await readlink(path).catch(() => null);
    if (target === null) continue;
    const isFile = target.startsWith("/") && !NAMELESS_MEMORY.test(target);
    files.push({ pid, descriptor: Number(name), target, stat: isFile ? await stat(path).catch(() => null) : null });
  }
  return files;
}

async function readDeletedMappings(pid: number): Promise<OpenFile[]> {
  const files: OpenFile[] = [];
  for (const line of (await readFile(`/proc/${pid}/maps`, "utf8").catch(() => "")).split("\n")) {
    const found = /^(\S+) \S+ \S+ \S+ [1-9]\d*\s+(\/.* \(deleted\))$/.exec(line);
    if (found === null || NAMELESS_MEMORY.test(found[2]!)) continue;
    files.push({ pid, descriptor: null, target: found[2]!, stat: await stat(`/proc/${pid}/map_files/${found[1]}`).catch(() => null) });
  }
  return files;
}
