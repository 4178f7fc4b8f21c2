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

/** What must be kept free for a workload whose use is known; null when either reading is unknown. */
export function usageOf(workload: WorkloadState): Need | null {
  return toNeed(mostCores(workload), workload.memoryUsedBytes);
}

/** What must be kept free for it: the most that it used of late, or where its use is unknown its limit; null when there is neither. A lull is not its size. */
export function needOf(workload: WorkloadState): Need | null {
  return toNeed(mostCores(workload) ?? workload.cpuLimitCores, workload.memoryUsedBytes ?? workload.memoryLimitBytes);
}

/** The same of one that has just come: the first reading there cannot tell a rate yet, and what it used before still stands. */
export function needOfNewcomer(workload: WorkloadState): Need | null {
  const { cpuUsedCores, cpuSmoothedCores, cpuPeakCores } = workload;
  const before = cpuSmoothedCores === undefined || cpuPeakCores === undefined ? null : Math.max(cpuSmoothedCores, cpuPeakCores);
  return needOf(cpuUsedCores === null && before !== null ? { ...workload, cpuUsedCores: before } : workload);
}

/** What its going is sure to free: the lesser of latest and smoothed, since a spike is not load; nothing where its use is unknown. */
export function freedBy({ cpuUsedCores, cpuSmoothedCores, memoryUsedBytes }: WorkloadState): Use {
  const cpuCores = cpuUsedCores === null ? 0 : Math.min(cpuUsedCores, cpuSmoothedCores ?? cpuUsedCores);
  return { cpuCores, memoryBytes: memoryUsedBytes ?? 0 };
}

/** Its latest readings, or its limits: for sums over many, of which not all are at their peak at once. */
export function presentUseOf({ cpuUsedCores, cpuLimitCores, memoryUsedBytes, memoryLimitBytes }: WorkloadState): Use | null {
  return toNeed(cpuUsedCores ?? cpuLimitCores, memoryUsedBytes ?? memoryLimitBytes);
}

function mostCores({ cpuUsedCores, cpuSmoothedCores = 0, cpuPeakCores = 0 }: WorkloadState): number | null {
  return cpuUsedCores === null ? null : Math.max(cpuUsedCores, cpuSmoothedCores, cpuPeakCores);
}

function toNeed(cpuCores: number | null, memoryBytes: number | null): Need | null {
  return cpuCores === null || memoryBytes === null ? null : { cpuCores, memoryBytes, imageBytes: memoryBytes };
}
