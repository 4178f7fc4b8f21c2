import { readdir, readFile } from "node:fs/promises";

const FOLDER = "/sys/kernel/mm/transparent_hugepage";

/**
 * Whether memory may be put into a mapping before the rest of it is registered with userfaultfd. Not where the kernel gives huge pages to anyone: one that is made for the first page
 * covers others, which are then never asked for and read as zeros. (CRIU keeps huge pages off only where a parent's images fill a mapping: maybe_disable_thp in
 * its criu/mem.c.) What cannot be read counts as such a kernel; a size without that setting is one that the kernel gives to shared memory only.
 */
export async function mayFillBeside(folder = FOLDER): Promise<boolean> {
  const sizes = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith("hugepages-"));
  const ofSizes = sizes.map((size) => readFile(`${folder}/${size}/enabled`, "utf8").catch(unlessMissing));
  const texts = await Promise.all([readFile(`${folder}/enabled`, "utf8"), ...ofSizes]).catch(() => ["[always]"]);
  return !texts.some((text) => text.includes("[always]"));
}

function unlessMissing(error: NodeJS.ErrnoException): string {
  if (error.code !== "ENOENT") throw error;
  return "";
}
