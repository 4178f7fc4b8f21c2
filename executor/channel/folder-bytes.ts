import { readdir, stat } from "node:fs/promises";

/** How much the files of a folder hold; folders in it are not looked into. */
export async function folderBytes(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(`${folder}/${name}`)).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
