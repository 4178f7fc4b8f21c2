import { execa } from "execa";

/**
 * Absolute paths, inside `root`, of every library that the given programs and shared objects need, the loader included.
 * Asked of the root's own `ldd`, since the host's loader would answer for the host. Throws if a library is missing.
 */
export async function libraryClosure(root: string, objects: readonly string[]): Promise<string[]> {
  if (objects.length === 0) return [];
  const { stdout } = await execa("chroot", [root, "ldd", ...objects], { env: { LC_ALL: "C" } });
  const missing = /^\s*(\S+) => not found/m.exec(stdout);
  if (missing) throw new Error(`${missing[1]} is missing in ${root}, needed by one of ${objects.join(", ")}`);
  const found = stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm);
  return [...new Set([...found].map((match) => match[1]!))].sort();
}
