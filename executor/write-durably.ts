import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Puts a text in place of a file's, for root alone: after a power cut it holds either the old one or the new one, whole. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600);
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
  // The new name is the folder's own change.
  const folder = await open(dirname(path), "r");
  await folder.sync();
  await folder.close();
}
