import { readFile } from "node:fs/promises";

/** Memory of processes that what the kernel says they use does not tell of; in bytes. */
export interface OwnMemory {
  /** What they share with one another since they were forked, less one copy of it. */
  readonly forkedBytes: number;
  /** What was written to swap; once, where they share it, as all that follows. */
  readonly swappedBytes: number;
  /** What is in memory and of no file: the kernel can put it into swap alone. */
  readonly anonymousBytes: number;
}

/**
 * By the kernel's proportional sizes (`Pss_Anon`, `Pss_Shmem` and `SwapPss` of `smaps_rollup`, since Linux 5.3): a page of three processes counts a third in each. A process that is
 * gone, or whose sizes are not told, has none.
 */
export async function readOwnMemory(pids: readonly number[]): Promise<OwnMemory> {
  return sumOwnMemory(await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => ""))));
}

/** @param texts `smaps_rollup` of each process */
export function sumOwnMemory(texts: readonly string[]): OwnMemory {
  let [forked, swapped, anonymous] = [0, 0, 0];
  for (const text of texts) {
    const read = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? 0) * 1024;
    const more = (all: string, share: string) => (text.includes(`\n${share}:`) ? read(all) - read(share) : 0);
    forked += more("Anonymous", "Pss_Anon") + more("Swap", "SwapPss");
    swapped += read("SwapPss");
    anonymous += read("Pss_Anon") + read("Pss_Shmem");
  }
  return { forkedBytes: Math.max(0, Math.round(forked)), swappedBytes: swapped, anonymousBytes: anonymous };
}
