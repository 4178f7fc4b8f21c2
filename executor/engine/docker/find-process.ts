import { readdir, readFile } from "node:fs/promises";
import { isAlive } from "./processes.js";

/**
 * The process whose command line holds all these words. Found by looking, for a pid that was written down may be another process's by now.
 * Null when there is none.
 */
export async function findProcess(words: readonly string[]): Promise<number | null> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const line = (await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (words.every((word) => line.includes(word)) && (await isAlive(Number(entry)))) return Number(entry);
  }
  return null;
}

const LOOK_MILLISECONDS = 20;

export async function waitUntilGone(words: readonly string[]): Promise<void> {
  while ((await findProcess(words)) !== null) await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
}
