import type { WorkloadState } from "../../policies/types.js";
import type { PlacedWorkload } from "./place-workloads.js";

/** What workloads used of late, which no single reading tells. Kept by whoever reads the fleet, from one picture to the next, and by nobody else. */
export interface RecentUse {
  /** Takes in the readings of this picture; `sampleAt` tells when each node was read. Who is no longer in it is forgotten. */
  follow(placed: readonly PlacedWorkload[], sampleAt: ReadonlyMap<string, number>, smoothingSeconds: number): void;
  of(workload: string): Pick<WorkloadState, "cpuSmoothedCores" | "cpuPeakCores">;
}

/** A peak counts for one to two of these. */
const PEAK_SECONDS = 60;
const UNKNOWN = {};

interface Use {
  readonly at: number;
  readonly smoothedCores: number;
  /** Since `since`, and in the span of the same length before. */
  readonly peakCores: number;
  readonly earlierPeakCores: number;
  readonly since: number;
  readonly readings: number;
}

export function rememberRecentUse(): RecentUse {
  let known = new Map<string, Use>();
  return {
    follow: (placed, sampleAt, smoothingSeconds) => {
      const next = new Map<string, Use>();
      for (const { id, node, reading } of placed) {
        const before = known.get(id);
        const at = sampleAt.get(node);
        const cores = reading.cpuUsedCores;
        const isNew = at !== undefined && cores !== null && (before === undefined || at > before.at);
        const use = isNew ? takeIn(before, at, cores, smoothingSeconds) : before;
        if (use !== undefined) next.set(id, use);
      }
      known = next;
    },
    of: (workload) => {
      const use = known.get(workload);
      if (use === undefined || use.readings < 2) return UNKNOWN;
      return { cpuSmoothedCores: use.smoothedCores, cpuPeakCores: Math.max(use.peakCores, use.earlierPeakCores) };
    },
  };
}

/** Weighted as a node's readings are: see smooth.ts. */
function takeIn(before: Use | undefined, at: number, cores: number, smoothingSeconds: number): Use {
  const start = { at, smoothedCores: cores, peakCores: cores, earlierPeakCores: 0, since: at, readings: 1 };
  if (before === undefined || at - before.at > 2 * PEAK_SECONDS) return start;
  const kept = Math.exp(-(at - before.at) / smoothingSeconds);
  const smoothedCores = kept * before.smoothedCores + (1 - kept) * cores;
  const readings = before.readings + 1;
  if (at - before.since < PEAK_SECONDS) return { ...before, at, smoothedCores, readings, peakCores: Math.max(before.peakCores, cores) };
  return { at, smoothedCores, readings, since: at, peakCores: cores, earlierPeakCores: before.peakCores };
}
