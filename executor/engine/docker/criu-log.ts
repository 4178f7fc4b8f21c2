import { readFile } from "node:fs/promises";

/** The lines of a CRIU log that say what went wrong, newest last; the log's end when none does. Empty when there is no log. */
export async function readCriuErrors(path: string, most = 6): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  const lines = text.trimEnd().split("\n");
  const errors = lines.filter((line) => line.includes("Error ("));
  return (errors.length > 0 ? errors : lines).slice(-most).join("\n");
}
