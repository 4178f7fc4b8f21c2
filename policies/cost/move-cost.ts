import type { NodeView } from "../fleet.js";
import { chooseMode, type ModeFacts } from "../modes/choose-mode.js";
import type { Use } from "../need.js";
import type { MoveCost, WorkloadState } from "../types.js";
import type { CostConfig } from "./config.js";

/** A workload that has grown or shrunk by more than this since its last moves is not told by them. */
const MOST_GROWTH = 4;

/**
 * What a move will take, in the mode that its label would get. Pessimistic where nothing is known of its memory: without a measured dirty rate nobody tracks it, and
 * all memory is sent in the freeze. Where the workload's own moves have told how long it stands still, and how many bytes it takes, that counts instead.
 */
export function estimateMoveCost(workload: WorkloadState, need: Use, source: NodeView, target: NodeView, config: CostConfig): MoveCost {
  const barred = source.state.whyNoPrecopy;
  const dirtyBytesPerSecond = workload.dirtyBytesPerSecond ?? workload.past?.dirtyBytesPerSecond ?? null;
  const whyNoPrecopy = barred ?? (dirtyBytesPerSecond === null ? "changes of its memory are not measured" : undefined);
  const fileBytes = workload.fileBytes ?? workload.past?.fileBytes ?? null;
  const facts: ModeFacts = {
    memoryBytes: need.memoryBytes,
    fileBytes: fileBytes ?? 0,
    dirtyBytesPerSecond,
    bytesPerSecond: Math.min(linkRate(source, config), linkRate(target, config)),
    fixedSeconds: config.fixedBlackoutSeconds,
    whyNot: whyNoPrecopy === undefined ? {} : { precopy: whyNoPrecopy },
  };
  const { mode } = workload.constraints;
  // As the executor does: a pre-copy that cannot be had gives way.
  const choice = chooseMode(mode === "never" || (mode === "precopy" && barred !== undefined) ? "auto" : mode, facts);
  const growth = growthSince(workload, need.memoryBytes);
  const past = growth === null ? null : workload.past!;
  // What it stood still by pre-copy says nothing of a move without.
  const isOtherWay = barred !== undefined && workload.past?.dirtyBytesPerSecond != null;
  const bytes = past === null ? choice.runningBytes + choice.frozenBytes : past.fileBytes + past.memoryBytes * growth!;
  return {
    mode: choice.mode,
    bytes,
    fileBytes,
    seconds: config.fixedBlackoutSeconds + bytes / facts.bytesPerSecond,
    blackoutSeconds: past?.blackoutSeconds && !isOtherWay ? past.blackoutSeconds * growth! : choice.blackoutSeconds,
    dirtyBytesPerSecond,
    learnedFromMoves: past?.count ?? 0,
  };
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
