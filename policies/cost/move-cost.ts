import type { NodeView } from "../fleet.js";
import type { Need } from "../need.js";
import type { MoveCost, WorkloadState } from "../types.js";
import type { CostConfig } from "./config.js";

/** Rounds of copying while the workload runs; more hardly ever shrink what is left. */
const PRECOPY_ROUNDS = 5;
/** A rest this small is sent in the freeze rather than in another round. */
const SMALL_ROUND_BYTES = 16 * 2 ** 20;

/** A workload that has grown or shrunk by more than this since its last moves is not told by them. */
const MOST_GROWTH = 4;

/**
 * What a move will take. Pessimistic where nothing is known: without a measured dirty rate all memory is sent in the freeze.
 * Pre-copy sends m, m·r, m·r² … with r = dirty rate / link rate, as in Clark et al., Live Migration of Virtual Machines (2005).
 * Where the workload's own moves have told how long it stands still, and how many bytes it takes, that counts instead.
 */
export function estimateMoveCost(workload: WorkloadState, need: Need, source: NodeView, target: NodeView, config: CostConfig): MoveCost {
  const rate = Math.min(linkRate(source, config), linkRate(target, config));
  const { running, frozen } = bytesToSend(workload, need.memoryBytes, rate);
  const growth = growthSince(workload, need.memoryBytes);
  const past = growth === null ? null : workload.past!;
  const bytes = past === null ? running + frozen : past.fileBytes + past.memoryBytes * growth!;
  const blackoutSeconds = past?.blackoutSeconds ? past.blackoutSeconds * growth! : config.fixedBlackoutSeconds + frozen / rate;
  return { bytes, seconds: config.fixedBlackoutSeconds + bytes / rate, blackoutSeconds };
}

/** How much more memory it has now than it sent then; null when its past does not tell. */
function growthSince({ past }: WorkloadState, memoryBytes: number): number | null {
  if (!past || past.memoryBytes <= 0) return null;
  const growth = memoryBytes / past.memoryBytes;
  if (growth > MOST_GROWTH) return null;
  // What is sent again, or not sent because it is zero, makes the ratio; only growth makes a move longer.
  return Math.max(1, growth);
}

function linkRate(node: NodeView, config: CostConfig): number {
  return node.state.linkBytesPerSecond || config.linkBytesPerSecond;
}

/** Bytes that cross while the workload runs, and while it does not. Files go ahead of the freeze, but for a cold move. */
function bytesToSend(workload: WorkloadState, memoryBytes: number, rate: number): { readonly running: number; readonly frozen: number } {
  const { mode } = workload.constraints;
  const files = workload.fileBytes ?? workload.past?.fileBytes ?? 0;
  const dirtyRatio = (workload.dirtyBytesPerSecond ?? Number.POSITIVE_INFINITY) / rate;
  if (mode === "cold") return { running: 0, frozen: files };
  if (mode === "postcopy") return { running: files + memoryBytes, frozen: 0 };
  if (mode === "stopcopy" || dirtyRatio >= 1) return { running: files, frozen: memoryBytes };
  let running = files;
  let round = memoryBytes;
  for (let done = 0; done < PRECOPY_ROUNDS && round > SMALL_ROUND_BYTES; done++) {
    running += round;
    round *= dirtyRatio;
  }
  return { running, frozen: round };
}
