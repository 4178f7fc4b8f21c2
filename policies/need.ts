import type { WorkloadState } from "./types.js";

/** An amount of what a node has. */
export interface Use {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

/** What a workload takes of a node that it goes to. */
export interface Need extends Use {
  /** For its images, which lie in the destination's memory beside itself while it moves: as much as the executors ask for. */
  readonly imageBytes: number;
}

/** What the workload uses now; null when either reading is unknown. */
export function usageOf(workload: WorkloadState): Need | null {
  return toNeed(workload.cpuUsedCores, workload.memoryUsedBytes);
}

/** What must be kept free for it: its use, or where that is unknown its limit; null when there is neither. */
export function needOf(workload: WorkloadState): Need | null {
  return toNeed(workload.cpuUsedCores ?? workload.cpuLimitCores, workload.memoryUsedBytes ?? workload.memoryLimitBytes);
}

function toNeed(cpuCores: number | null, memoryBytes: number | null): Need | null {
  return cpuCores === null || memoryBytes === null ? null : { cpuCores, memoryBytes, imageBytes: memoryBytes };
}
