import { readdirSync, statSync } from "node:fs";

/** How much the files of a folder hold; folders in it are not looked into. Without giving way: it stands in the freeze, and takes less than a turn through Node's threads for each. */
export function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(`${folder}/${name}`).size, 0);
}
