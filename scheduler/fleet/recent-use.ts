import type { WorkloadState } from "../../policies/types.js";
import type { PlacedWorkload } from "./place-workloads.js";

/** What workloads used of late, which no single reading tells. Kept by whoever reads the fleet, from one picture to the next, and by nobody else. */
export interface RecentUse {
  /** Takes in the readings of this picture; `sampleAt` tells when each node was read. Who is no longer in it is forgotten before long. */
  follow(placed: readonly Followed[], sampleAt: ReadonlyMap<string, number>, smoothingSeconds: number): void;
  of(workload: string): Pick<WorkloadState, "cpuSmoothedCores" | "cpuPeakCores">;
}

/** As much of a placed workload as matters here. */
export type Followed = Pick<PlacedWorkload, "id" | "node"> & { readonly reading: Pick<PlacedWorkload["reading"], "cpuUsedCores"> };

/** A peak counts for one to two of these. */
const PEAK_SECONDS = 60;
const UNKNOWN = {};

/** Changed in place: a large fleet has tens of thousands of them, and most have a new reading at each tick. */
interface Use {
  at: number;
  smoothedCores: number;
  /** Since `since`, and in the span of the same length before. */
  peakCores: number;
  earlierPeakCores: number;
  since: number;
  readings: number;
}

export function rememberRecentUse(): RecentUse {
  const known = new Map<string, Use>();
  return {
    follow: (placed, sampleAt, smoothingSeconds) => {
      for (const { id, node, reading } of placed) {
        const at = sampleAt.get(node);
        const cores = reading.cpuUsedCores;
        if (at === undefined || cores === null) continue;
        const use = known.get(id);
        if (use === undefined || at - use.at > 2 * PEAK_SECONDS) known.set(id, begin(at, cores));
        else if (at > use.at) takeIn(use, at, cores, smoothingSeconds);
      }
      if (known.size <= placed.length) return;
      const present = new Set(placed.map(({ id }) => id));
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
    },
    of: (workload) => {
      const use = known.get(workload);
      if (use === undefined || use.readings < 2) return UNKNOWN;
      return { cpuSmoothedCores: use.smoothedCores, cpuPeakCores: Math.max(use.peakCores, use.earlierPeakCores) };
    },
  };
}

function begin(at: number, cores: number): Use {
  return { at, smoothedCores: cores, peakCores: cores, earlierPeakCores: 0, since: at, readings: 1 };
}

/** Weighted as a node's readings are: see smooth.ts. */
function takeIn(use: Use, at: number, cores: number, smoothingSeconds: number): void {
  const kept = Math.exp(-(at - use.at) / smoothingSeconds);
  use.smoothedCores = kept * use.smoothedCores + (1 - kept) * cores;
  use.at = at;
  use.readings++;
  if (at - use.since < PEAK_SECONDS) {
    use.peakCores = Math.max(use.peakCores, cores);
    return;
  }
  use.earlierPeakCores = use.peakCores;
  use.peakCores = cores;
  use.since = at;
}
