import { execFile } from "node:child_process";
import { lstat } from "node:fs/promises";
import { promisify } from "node:util";
import { EvenkeelError } from "../../platform/errors.js";
import { below } from "../byte-paths.js";
import type { FileTree } from "../engine/engine.js";
import { UNSURE_SECONDS } from "./fingerprint.js";

const run = promisify(execFile);

/** Files of a tree by their byte paths in it, each with the time of its last write in nanoseconds. */
export type ChangedFiles = ReadonlyMap<string, bigint>;

export const NONE_CHANGED: ChangedFiles = new Map();

/**
 * Files that were changed since then, by their change times. While a file is mapped writable only the first write of each page moves them: what was sent of it
 * since may be older than what it holds, with the same size and time. @throws SYNC_FAILED
 */
export async function changedSince(tree: FileTree, sinceSeconds: number): Promise<ChangedFiles> {
  // A log is nobody's memory.
  if (tree.mountedAt === undefined) return NONE_CHANGED;
  const since = `@${(sinceSeconds - UNSURE_SECONDS).toFixed(3)}`;
  const words = [tree.path, "-ignore_readdir_race", "-type", "f", "-newerct", since, "-printf", "%P\\0"];
  const { stdout } = await run("find", words, { maxBuffer: Number.POSITIVE_INFINITY, encoding: "latin1" }).catch((error: Error) => {
    throw new EvenkeelError("SYNC_FAILED", `${tree.name}: what was changed cannot be told: ${error.message}`, { cause: error });
  });
  const paths = stdout.split("\0").slice(0, -1);
  const each = await Promise.all(paths.map(async (path) => [path, await writtenAt(tree, path)] as const));
  return new Map(each.flatMap(([path, at]) => (at === null ? [] : [[path, at]])));
}

/** Those of them that have not been written to since, as far as their times tell. The others are sent again for their times. */
export async function unmoved(tree: FileTree, files: ChangedFiles): Promise<string[]> {
  const each = await Promise.all([...files].map(async ([path, at]) => ((await writtenAt(tree, path)) === at ? [path] : [])));
  return each.flat();
}

/** Null when it is gone. */
async function writtenAt(tree: FileTree, path: string): Promise<bigint | null> {
  return lstat(below(tree.path, path), { bigint: true }).then(
    ({ mtimeNs }) => mtimeNs,
    () => null,
  );
}
