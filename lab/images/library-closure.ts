import { basename } from "node:path";
import { execa } from "execa";

/**
 * Absolute paths, inside `root`, of every library that the given programs and shared objects need, the loader included.
 * Asked of the root's own `ldd`, since the host's loader would answer for the host. Throws if a library is missing
 * that is not itself among the objects: what a program loads by hand may be linked to what that program has loaded before.
 */
export async function libraryClosure(root: string, objects: readonly string[]): Promise<string[]> {
  if (objects.length === 0) return [];
  const { stdout } = await execa("chroot", [root, "ldd", ...objects], { env: { LC_ALL: "C" } });
  const given = new Set(objects.map((path) => basename(path)));
  const missing = [...stdout.matchAll(/^\s*(\S+) => not found/gm)].find((match) => !given.has(match[1]!));
  if (missing) throw new Error(`${missing[1]} is missing in ${root}, needed by one of ${objects.join(", ")}`);
  const found = stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm);
  return [...new Set([...found].map((match) => match[1]!))].sort();
}
