import { readFile, readlink } from "node:fs/promises";
import { posix } from "node:path";
import { bytePathOf } from "../../byte-paths.js";
import type { FileTree } from "../engine.js";
import { readTree } from "./processes.js";

/** A line of mountinfo (proc(5)): which part of which file system is where. Paths are byte paths. */
export interface Mount {
  readonly device: string;
  readonly root: string;
  readonly point: string;
}

/** Files by where they lie in their file systems, whatever they are called by who has mapped them. */
export interface MappedFiles {
  readonly files: readonly { readonly device: string; readonly path: string }[];
  /** Of the workload's first process. */
  readonly mounts: readonly Mount[];
}

export const NONE_MAPPED: MappedFiles = { files: [], mounts: [] };

/**
 * Files that a workload has mapped shared and writable. What is written through a mapping moves a file's time only at the first write after each writeback,
 * so size and time cannot tell whether the last copy of such a file is right. A process may have mounts of its own, and call a file by another name for it.
 */
export async function readMapped(initPid: number): Promise<MappedFiles> {
  const mountsOf = async (pid: number) => parseMounts(await readFile(`/proc/${pid}/mountinfo`, "latin1"));
  const mounts = await mountsOf(initPid);
  // One that has ended meanwhile, of a workload that is not frozen yet, writes nothing any more.
  const unlessGone = (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ESRCH") return [];
    throw error;
  };
  const namespace = await readlink(`/proc/${initPid}/ns/mnt`);
  const filesOf = async (pid: number) => {
    const paths = mappedIn(await readFile(`/proc/${pid}/maps`, "latin1"));
    if (paths.length === 0) return [];
    // Paths begin where the namespace does, also those of a process with another root, which is told of no mount outside of that.
    const isElsewhere = (await readlink(`/proc/${pid}/ns/mnt`)) !== namespace;
    return locate(paths, isElsewhere ? await mountsOf(pid) : mounts);
  };
  const each = (await readTree(initPid)).map((pid) => filesOf(pid).catch(unlessGone));
  const files = new Map((await Promise.all(each)).flat().map((file) => [`${file.device} ${file.path}`, file]));
  return { files: [...files.values()], mounts };
}

/** Those that lie in the trees, by tree and by their byte paths in it. Those on a tmpfs or another mount are in none. */
export function sortIntoTrees({ files, mounts }: MappedFiles, trees: readonly FileTree[]): Map<string, string[]> {
  const roots = trees.flatMap((tree) => {
    const mount = mounts.findLast(({ point }) => tree.mountedAt !== undefined && point === bytePathOf(tree.mountedAt));
    return mount === undefined ? [] : [{ name: tree.name, device: mount.device, root: rootOf(tree, mount) }];
  });
  const byTree = new Map<string, string[]>();
  for (const { device, path } of files) {
    const holding = roots.filter((each) => each.device === device && isBelow(path, each.root));
    if (holding.length === 0) continue;
    const { name, root } = holding.reduce((deepest, each) => (each.root.length > deepest.root.length ? each : deepest));
    byTree.set(name, [...(byTree.get(name) ?? []), root === "/" ? path.slice(1) : path.slice(root.length + 1)]);
  }
  return byTree;
}

/** Where a tree begins in its file system. Of a volume the workload may have been given a folder alone; the tree is all of it. */
function rootOf({ subpath }: FileTree, { root }: Mount): string {
  const ending = subpath === undefined ? "" : `/${bytePathOf(subpath)}`;
  return ending !== "" && root.endsWith(ending) ? root.slice(0, -ending.length) || "/" : root;
}

/** @param maps see proc(5) */
export function mappedIn(maps: string): string[] {
  return maps.split("\n").flatMap((line) => {
    // address perms offset device inode path
    const path = /^\S+ .w.s \S+ \S+ [1-9]\d*\s+(\/.*)$/.exec(line)?.[1];
    // The kernel writes a newline of a path as \012.
    return path === undefined || path.endsWith(" (deleted)") ? [] : [path.replaceAll("\\012", "\n")];
  });
}

export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [, , device, root, point] = line.split(" ");
    return device === undefined || root === undefined || point === undefined
      ? []
      : [{ device, root: unescaped(root), point: unescaped(point) }];
  });
}

function locate(paths: readonly string[], mounts: readonly Mount[]): MappedFiles["files"] {
  return paths.flatMap((path) => {
    const holding = mounts.filter(({ point }) => isBelow(path, point));
    if (holding.length === 0) return [];
    // Of several at one place the last is on top.
    const { device, root, point } = holding.reduce((deepest, mount) => (mount.point.length >= deepest.point.length ? mount : deepest));
    return [{ device, path: posix.join(root, path.slice(point.length)) }];
  });
}

function isBelow(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/** In mountinfo the kernel writes blanks, newlines and backslashes by their numbers. */
function unescaped(path: string): string {
  return path.replaceAll(/\\(0\d\d|134)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
