import { readFile } from "node:fs/promises";
import { type Mapping, parseSmaps, sumOncePerFile } from "./smaps.js";

/** Memory of processes that what the kernel says they use does not tell of; in bytes. */
export interface OwnMemory {
  /** What they share with one another since they were forked, less one copy of it. */
  readonly forkedBytes: number;
  /** What was written to swap; once, where they share it, as all that follows. */
  readonly swappedBytes: number;
  /** What is in memory and of no file: the kernel can put it into swap alone. */
  readonly anonymousBytes: number;
}

/** What the kernel tells of one process: `smaps_rollup`, and `smaps` where some of it is in swap; empty where that is not told. */
export interface ToldMemory {
  readonly rollup: string;
  readonly mappings: string;
}

/**
 * By the kernel's proportional sizes (`Pss_Anon`, `Pss_Shmem` and `SwapPss` of `smaps_rollup`, since Linux 5.3): a page of three processes counts a third in each. A process that is
 * gone, or whose sizes are not told, has none.
 */
export async function readOwnMemory(pids: readonly number[]): Promise<OwnMemory> {
  const read = (pid: number, file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  const told = pids.map(async (pid) => {
    const rollup = await read(pid, "smaps_rollup");
    // The kernel walks all of its memory once more.
    return { rollup, mappings: sizeIn(rollup, "Swap") > 0 ? await read(pid, "smaps") : "" };
  });
  return sumOwnMemory(await Promise.all(told));
}

export function sumOwnMemory(processes: readonly ToldMemory[]): OwnMemory {
  let [forked, swapped, anonymous] = [0, 0, 0];
  const mappings = processes.map(({ mappings }) => parseSmaps(mappings));
  for (const [index, { rollup }] of processes.entries()) {
    if (rollup.includes("\nPss_Anon:")) forked += sizeIn(rollup, "Anonymous") - sizeIn(rollup, "Pss_Anon");
    forked += mappings[index]!.filter((each) => !isOfSharedMemory(each)).reduce((sum, each) => sum + swappedTwice(each), 0);
    swapped += sizeIn(rollup, "SwapPss");
    anonymous += sizeIn(rollup, "Pss_Anon") + sizeIn(rollup, "Pss_Shmem");
  }
  swapped += sumOncePerFile(
    mappings.map((each) => each.filter(isOfSharedMemory)),
    swappedTwice,
  );
  return { forkedBytes: Math.max(0, Math.round(forked)), swappedBytes: swapped, anonymousBytes: anonymous };
}

const sizeIn = (rollup: string, name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(rollup)?.[1] ?? 0) * 1024;

/** Which has no share for each process: of what is in swap there, all of it counts in every one (smap_gather_stats of the kernel's fs/proc/task_mmu.c). */
const isOfSharedMemory = ({ file, isShared, isWritable }: Mapping) => file !== null && (isShared || !isWritable);

const swappedTwice = (mapping: Mapping) => mapping.size("Swap") - mapping.size("SwapPss");
