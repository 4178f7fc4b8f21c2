import type { NodeState } from "../types.js";

/**
 * What a node uses, as a band: the smoothed reading and the latest one rarely agree. Whoever wants to move something away
 * must believe the lower (a spike is not load), whoever wants to add something the higher (a lull is not room).
 */
export interface Load {
  readonly cpuCores: Band;
  readonly memoryBytes: Band;
}

export interface Band {
  readonly low: number;
  readonly high: number;
}

/** Null for a node that is silent, whose readings failed, or that reports no capacity. */
export function estimateLoad(node: NodeState): Load | null {
  if (node.state !== "ready" || node.cpuUsedCores === null || node.memoryUsedBytes === null) return null;
  if (!(node.cpuCapacityCores > 0) || !(node.memoryCapacityBytes > 0)) return null;
  const latest = node.history.at(-1);
  if (latest && (latest.cpuRatio === null || latest.memoryRatio === null)) return null;
  return {
    cpuCores: band(node.cpuUsedCores, latest?.cpuRatio, node.cpuCapacityCores),
    memoryBytes: band(node.memoryUsedBytes, latest?.memoryRatio, node.memoryCapacityBytes),
  };
}

function band(smoothed: number, latestRatio: number | null | undefined, capacity: number): Band {
  const latest = latestRatio === null || latestRatio === undefined ? smoothed : latestRatio * capacity;
  return { low: Math.min(smoothed, latest), high: Math.max(smoothed, latest) };
}
