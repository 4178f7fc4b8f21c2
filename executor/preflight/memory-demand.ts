import { type Finding, finding } from "../../platform/findings.js";
import type { Needs } from "../engine/engine.js";
import { mebibytes } from "./room.js";

/** What a move takes of memory; in bytes. */
export interface MemoryDemand {
  /** Its images, on either end. */
  readonly imageBytes: number;
  /** On the destination while it moves: itself, beside its images. */
  readonly memoryBytes: number;
  /** How much more its memory may come to there when each process gets for itself what they share since they were forked. */
  readonly forkedRoomBytes: number;
}

/**
 * @param usedBytes by its newest sample: without huge pages, which come out of a pool of their own, and without what is in swap, which is restored into memory
 */
export function memoryDemand(
  usedBytes: number,
  needs: Pick<Needs, "memoryLimitBytes" | "sharedMemoryBytes" | "forkedBytes" | "swappedBytes" | "hugePageBytes">,
): MemoryDemand {
  const limit = needs.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
  const ownBytes = usedBytes + needs.swappedBytes;
  const imageBytes = ownBytes + needs.sharedMemoryBytes + needs.forkedBytes + needs.hugePageBytes;
  return {
    imageBytes,
    memoryBytes: ownBytes + imageBytes,
    // Neither more than the limit bears, nor than what is reserved for the move, which is its size twice.
    forkedRoomBytes: Math.max(0, Math.min(ownBytes, limit - ownBytes)),
  };
}

/** CRIU brings in what is in swap, and holds it while it writes: beyond its limit a workload would be killed for that in the freeze. */
export function beyondLimitFindings(needs: Pick<Needs, "memoryLimitBytes" | "swappedBytes" | "anonymousBytes">): Finding[] {
  const { memoryLimitBytes, swappedBytes, anonymousBytes } = needs;
  const bytes = anonymousBytes + swappedBytes;
  if (swappedBytes === 0 || memoryLimitBytes === null || bytes <= memoryLimitBytes) return [];
  const words = `It has ${mebibytes(bytes)}, ${mebibytes(swappedBytes)} of it in swap; its limit is ${mebibytes(memoryLimitBytes)}`;
  return [finding("beyond-limit", words)];
}
