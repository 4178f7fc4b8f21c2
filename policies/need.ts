import type { WorkloadState } from "./types.js";

/** What a workload takes of a node. */
export interface Need {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

/** What the workload uses now; null when either reading is unknown. */
export function usageOf(workload: WorkloadState): Need | null {
  const { cpuUsedCores, memoryUsedBytes } = workload;
  return cpuUsedCores === null || memoryUsedBytes === null ? null : { cpuCores: cpuUsedCores, memoryBytes: memoryUsedBytes };
}

/** What must be kept free for it: its use, or where that is unknown its limit; null when there is neither. */
export function needOf(workload: WorkloadState): Need | null {
  const cpuCores = workload.cpuUsedCores ?? workload.cpuLimitCores;
  const memoryBytes = workload.memoryUsedBytes ?? workload.memoryLimitBytes;
  return cpuCores === null || memoryBytes === null ? null : { cpuCores, memoryBytes };
}
