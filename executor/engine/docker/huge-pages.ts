import { readdir, readFile } from "node:fs/promises";

const FOLDER = "/sys/kernel/mm/transparent_hugepage";

/**
 * Whether memory may be put into a mapping before the rest of it is registered with userfaultfd. Not where the kernel gives huge pages to anyone: one that is made for the first page
 * covers others, which are then never asked for and read as zeros. (CRIU keeps huge pages off only where a parent's images fill a mapping: maybe_disable_thp in
 * its criu/mem.c.) What cannot be read counts as such a kernel.
 */
export async function mayFillBeside(folder = FOLDER): Promise<boolean> {
  const sizes = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith("hugepages-"));
  const settings = ["enabled", ...sizes.map((size) => `${size}/enabled`)].map((path) => readFile(`${folder}/${path}`, "utf8"));
  const texts = await Promise.all(settings).catch(() => ["[always]"]);
  return !texts.some((text) => text.includes("[always]"));
}
