import { lstat, readdir } from "node:fs/promises";
import type { FileTree } from "../engine/engine.js";

/** Bigger trees are left to rsync: looking at every file would take as long. */
const ENTRIES_MOST = 5000;
/** Change times move in steps of the kernel's tick (at most 10 ms): a change within the last one might not show. */
export const UNSURE_SECONDS = 0.05;
const UNSURE_NANOSECONDS = BigInt(UNSURE_SECONDS * 1e9);

/**
 * A text that differs whenever something in the tree was changed since, as far as change times tell (ctime cannot be set back). Null when it
 * cannot vouch for that: too many entries, or one that was changed just now.
 */
export async function fingerprint(tree: FileTree): Promise<string | null> {
  const now = BigInt(Date.now()) * 1_000_000n;
  const lines: string[] = [];
  const look = async (path: string): Promise<boolean> => {
    const { ino, ctimeNs, size, mode } = await lstat(path, { bigint: true });
    if (lines.length >= ENTRIES_MOST || now - ctimeNs < UNSURE_NANOSECONDS) return false;
    lines.push(`${path}\0${ino} ${ctimeNs} ${size} ${mode}`);
    const isFolder = (mode & 0o170000n) === 0o040000n;
    for (const name of isFolder ? await readdir(path) : []) {
      if (!(await look(`${path}/${name}`))) return false;
    }
    return true;
  };
  const start = tree.file === undefined ? tree.path : `${tree.path}/${tree.file}`;
  return (await look(start).catch(() => false)) ? lines.sort().join("\n") : null;
}
