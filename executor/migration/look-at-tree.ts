import { existsSync } from "node:fs";
import type { FileTree } from "../engine/engine.js";
import { fingerprint } from "./fingerprint.js";

/** How a tree looks that there is not: no fingerprint, for those begin with a path. */
export const NOT_THERE = "";

/**
 * Whether there is anything of a tree to carry. A log may not be there yet: the engine makes others as it rotates it. Anything else that is missing has to end a
 * move, not to be left out of it.
 */
export function isThere({ mountedAt, path, file }: FileTree): boolean {
  return mountedAt !== undefined || existsSync(file === undefined ? path : `${path}/${file}`);
}

/** A text that differs whenever a tree was changed, or came to be, since; null = cannot be told. */
export async function lookAt(tree: FileTree): Promise<string | null> {
  return isThere(tree) ? fingerprint(tree) : NOT_THERE;
}
