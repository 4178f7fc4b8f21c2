import { EvenkeelError } from "../../platform/errors.js";
import { readForkedLeft } from "../pages/forked-ranges.js";
import { readOwnMemory } from "../preflight/own-memory.js";
import { mebibytes } from "../preflight/room.js";

/** Why the memory of a workload should not follow it: it would come to each of its processes for itself. Null = there is room for that. */
export function whyForkedMemoryStays(forkedBytes: number, roomBytes: number): string | null {
  if (forkedBytes <= roomBytes) return null;
  return `its processes share memory since they were forked, of which it would need ${mebibytes(forkedBytes)} more`;
}

/**
 * The same of what a dump has left, for they may have forked since preflight. Only where they have so much at the same addresses are they asked whether they share it: that takes time, and two
 * programs may lie alike by chance. @param pids of the frozen processes, here. @throws CHECKPOINT_FAILED
 */
export async function assertForkedFits(images: string, pids: readonly number[], roomBytes: number): Promise<void> {
  if ((await readForkedLeft(images)) <= roomBytes) return;
  const why = whyForkedMemoryStays((await readOwnMemory(pids)).forkedBytes, roomBytes);
  if (why !== null) throw new EvenkeelError("CHECKPOINT_FAILED", `its memory cannot follow by postcopy: ${why}`);
}
