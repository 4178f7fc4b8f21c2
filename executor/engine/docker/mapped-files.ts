import { readFile } from "node:fs/promises";
import { bytePathOf } from "../../byte-paths.js";
import type { FileTree } from "../engine.js";
import { readTree } from "./processes.js";

/**
 * Files of the trees that a frozen workload has mapped shared and writable, by their byte paths in the tree. What is written through a mapping moves a
 * file's time only at the first write after each writeback, so size and time cannot tell whether the last copy of such a file is right.
 */
export async function readMappedFiles(initPid: number, trees: readonly FileTree[]): Promise<Map<string, string[]>> {
  return sortIntoTrees(await readMappedPaths(initPid), trees);
}

/** Their byte paths as the workload sees them, each with the mount that it is on. */
export async function readMappedPaths(initPid: number): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(`/proc/${initPid}/mountinfo`, "latin1");
  const mounts = text.split("\n").flatMap((line) => line.split(" ")[4] ?? []);
  return new Map([...(await readPaths(initPid))].map((path) => [path, mountOf(path, mounts.map(unescaped))]));
}

/** The deepest mount that holds a path. */
export function mountOf(path: string, mounts: readonly string[]): string {
  const holding = mounts.filter((mount) => mount === "/" || path === mount || path.startsWith(`${mount}/`));
  return holding.reduce((deepest, mount) => (mount.length > deepest.length ? mount : deepest), "/");
}

async function readPaths(initPid: number): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  for (const pid of await readTree(initPid)) {
    for (const line of (await readFile(`/proc/${pid}/maps`, "latin1")).split("\n")) {
      // address perms offset device inode path
      const found = /^\S+ .w.s \S+ \S+ [1-9]\d*\s+(\/.*)$/.exec(line);
      if (found?.[1] !== undefined && !found[1].endsWith(" (deleted)")) paths.add(readable(found[1]));
    }
  }
  return paths;
}

/** Paths that the workload sees, by the tree that holds them and as that calls them. Those on a tmpfs or another mount are in none. */
export function sortIntoTrees(paths: ReadonlyMap<string, string>, trees: readonly FileTree[]): Map<string, string[]> {
  const byTree = new Map<string, string[]>();
  for (const [path, mount] of paths) {
    const tree = trees.find(({ mountedAt }) => mountedAt !== undefined && bytePathOf(mountedAt) === mount);
    if (tree === undefined) continue;
    const relative = mount === "/" ? path.slice(1) : path.slice(mount.length + 1);
    byTree.set(tree.name, [...(byTree.get(tree.name) ?? []), relative]);
  }
  return byTree;
}

/** In maps the kernel writes a newline of a path as \\012 (proc(5)). */
function readable(path: string): string {
  return path.replaceAll("\\012", "\n");
}

/** In mountinfo it writes blanks and backslashes so too. */
function unescaped(path: string): string {
  return path.replaceAll(/\\(0\d\d|134)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
