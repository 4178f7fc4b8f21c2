import { readFile } from "node:fs/promises";
import { type Finding, finding } from "../../platform/findings.js";
import type { Needs } from "../engine/engine.js";
import { mebibytes } from "./room.js";

/** What a move takes of memory; in bytes. */
export interface MemoryDemand {
  /** Its images, on either end. */
  readonly imageBytes: number;
  /** On the destination while it moves: itself, beside its images. */
  readonly memoryBytes: number;
  /** Of it, what its container's limit does not bear there: it was swapped out, and has to be again. */
  readonly swapBytes: number;
  /** How much more its memory may come to there when each process gets for itself what they share since they were forked. */
  readonly forkedRoomBytes: number;
}

/**
 * @param usedBytes by its newest sample: without huge pages, which come out of a pool of their own, and without what is in swap, which is restored into memory
 * @param limitBytes of its container; null = none
 */
export function memoryDemand(
  usedBytes: number,
  limitBytes: number | null,
  needs: Pick<Needs, "sharedMemoryBytes" | "forkedBytes" | "swappedBytes" | "hugePageBytes">,
): MemoryDemand {
  const limit = limitBytes ?? Number.POSITIVE_INFINITY;
  const ownBytes = usedBytes + needs.swappedBytes;
  const imageBytes = ownBytes + needs.sharedMemoryBytes + needs.forkedBytes + needs.hugePageBytes;
  return {
    imageBytes,
    memoryBytes: ownBytes + imageBytes,
    swapBytes: Math.max(0, ownBytes - limit),
    // Neither more than the limit bears, nor than what is reserved for the move, which is its size twice.
    forkedRoomBytes: Math.max(0, Math.min(ownBytes, limit - ownBytes)),
  };
}

/** Whether this machine has the swap for what a move brings along that needs some. */
export async function swapFindings(swapBytes: number): Promise<Finding[]> {
  if (swapBytes === 0) return [];
  const kibibytes = /^SwapFree:\s+(\d+) kB$/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1];
  const freeBytes = Number(kibibytes ?? 0) * 1024;
  if (swapBytes <= freeBytes) return [];
  return [finding("swap-short", `${mebibytes(swapBytes)} of it are beyond its limit; ${mebibytes(freeBytes)} of swap are free here`)];
}
