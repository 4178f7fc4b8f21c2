import { readFile } from "node:fs/promises";
import type { FileTree } from "../engine.js";
import { readTree } from "./processes.js";

/**
 * Files of the trees that a frozen workload has mapped shared and writable, by their paths in the tree. What is written through a mapping moves a
 * file's time only at the first write after each writeback, so size and time cannot tell whether the last copy of such a file is right.
 */
export async function readMappedFiles(initPid: number, trees: readonly FileTree[]): Promise<Map<string, string[]>> {
  return sortIntoTrees(await readMappedPaths(initPid), trees);
}

/** Their paths as the workload sees them. */
export async function readMappedPaths(initPid: number): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  for (const pid of await readTree(initPid)) {
    for (const line of (await readFile(`/proc/${pid}/maps`, "utf8")).split("\n")) {
      // address perms offset device inode path
      const found = /^\S+ .w.s \S+ \S+ [1-9]\d*\s+(\/.*)$/.exec(line);
      if (found?.[1] !== undefined && !found[1].endsWith(" (deleted)")) paths.add(readable(found[1]));
    }
  }
  return paths;
}

/** Paths that the workload sees, by the tree that holds them and as that calls them. */
export function sortIntoTrees(paths: ReadonlySet<string>, trees: readonly FileTree[]): Map<string, string[]> {
  const byTree = new Map<string, string[]>();
  const folders = trees.filter((tree) => tree.mountedAt !== undefined).sort((a, b) => b.mountedAt!.length - a.mountedAt!.length);
  for (const path of paths) {
    const tree = folders.find(({ mountedAt }) => mountedAt === "/" || path.startsWith(`${mountedAt}/`));
    if (tree === undefined || path.startsWith("/dev/")) continue;
    const relative = tree.mountedAt === "/" ? path.slice(1) : path.slice(tree.mountedAt!.length + 1);
    byTree.set(tree.name, [...(byTree.get(tree.name) ?? []), relative]);
  }
  return byTree;
}

/** The kernel writes a newline in a path as \\012 (proc(5)). */
function readable(path: string): string {
  return path.replaceAll("\\012", "\n");
}
