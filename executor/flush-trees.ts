import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { EvenkeelError } from "../platform/errors.js";
import type { FileTree } from "./engine/engine.js";

const run = promisify(execFile);

/** syncfs(2) of each file system that holds one of the trees: what was written to it is on disk then. @throws SYNC_FAILED */
export async function flushTrees(trees: readonly Pick<FileTree, "path">[]): Promise<void> {
  try {
    const devices = new Map(await Promise.all(trees.map(async ({ path }) => [(await stat(path)).dev, path] as const)));
    await Promise.all([...devices.values()].map((path) => run("sync", ["-f", path])));
  } catch (error) {
    throw new EvenkeelError("SYNC_FAILED", `onto the disk: ${(error as Error).message}`, { cause: error });
  }
}
