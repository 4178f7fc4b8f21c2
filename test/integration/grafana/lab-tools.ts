import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../../lab/folders.js";

/**
 * How to run a program of Debian's that the host may lack: the host's own, else that of a lab's root file system by its own loader
 * (its C library is newer than the host's). Null when there is none; the test that needs it is skipped and says so.
 */
export function findTool(path: string, hostPaths: readonly string[] = [`/${path}`]): readonly string[] | null {
  const own = hostPaths.find((candidate) => existsSync(candidate));
  if (own !== undefined) return [own];
  const root = labRoots().find((candidate) => existsSync(join(candidate, path)));
  if (root === undefined) return null;
  return [join(root, "lib64/ld-linux-x86-64.so.2"), "--library-path", join(root, "usr/lib/x86_64-linux-gnu"), join(root, path)];
}

function labRoots(): string[] {
  const named = process.env["EVENKEEL_LAB_ROOT"];
  const cached = existsSync(cacheFolder()) ? readdirSync(cacheFolder()).sort() : [];
  return [...(named === undefined ? [] : [named]), ...cached.map((name) => join(cacheFolder(), name))];
}
