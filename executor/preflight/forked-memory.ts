import { readFile } from "node:fs/promises";

/**
 * Of the private memory of these processes, what they share with one another since they were forked, less one copy of it; in bytes. By the kernel's proportional sizes
 * (`Pss_Anon` of `smaps_rollup`, since Linux 5.3): a page of three processes counts a third in each. A process that is gone, or whose sizes are not told, has none.
 */
export async function readForkedBytes(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "")));
  return Math.max(0, Math.round(texts.reduce((sum, text) => sum + moreThanItsShare(text), 0)));
}

function moreThanItsShare(text: string): number {
  const read = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? Number.NaN) * 1024;
  const difference = read("Anonymous") - read("Pss_Anon");
  return Number.isNaN(difference) ? 0 : difference;
}
