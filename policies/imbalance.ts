import { sortById } from "./order.js";
import type { Snapshot } from "./types.js";

/** Population standard deviation of the known nodes' CPU ratio; null when no node is known. */
export function imbalance(snapshot: Snapshot): number | null {
  const ratios: number[] = [];
  for (const node of sortById(snapshot.nodes)) {
    if (node.state === "ready" && node.cpuUsedCores !== null && node.cpuCapacityCores > 0) {
      ratios.push(node.cpuUsedCores / node.cpuCapacityCores);
    }
  }
  return standardDeviation(ratios);
}

/** Population standard deviation; null for no values. */
export function standardDeviation(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
