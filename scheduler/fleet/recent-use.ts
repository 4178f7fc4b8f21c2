import type { WorkloadState } from "../../policies/types.js";
import type { PlacedWorkload } from "./place-workloads.js";

/** What workloads used of late, which no single reading tells. Kept by whoever reads the fleet, from one picture to the next, and by nobody else. */
export interface RecentUse {
  /**
   * Takes in the readings of this picture. Who is no longer in it is forgotten before long.
   * @param times of the sample that is believed of each node
   */
  follow(placed: readonly Followed[], times: ReadonlyMap<string, SampleTime>, options: FollowOptions): void;
  of(workload: string): Pick<WorkloadState, "cpuSmoothedCores" | "cpuPeakCores">;
}

/** As much of a placed workload as matters here. */
export type Followed = Pick<PlacedWorkload, "id" | "node"> & { readonly reading: Pick<PlacedWorkload["reading"], "cpuUsedCores"> };

/** When a node was read, and the time before: what a workload used is a rate over the time between the two. */
export interface SampleTime {
  readonly at: number;
  readonly since: number;
}

export interface FollowOptions {
  readonly smoothingSeconds: number;
  /** Workload id -> epoch seconds of its last commit. */
  readonly lastMoved: Readonly<Record<string, number>>;
}

/**
 * What has just been moved catches up on what it missed, and the work of its restore is counted to its cgroup. No rate that began so soon after a
 * move says how much it uses: what it used before goes on to count.
 */
const CATCH_UP_SECONDS = 10;

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
    follow: (placed, times, { smoothingSeconds, lastMoved }) => {
      for (const { id, node, reading } of placed) {
        const time = times.get(node);
        const cores = reading.cpuUsedCores;
        if (time === undefined || cores === null) continue;
        if (time.since < (lastMoved[id] ?? 0) + CATCH_UP_SECONDS) continue;
        const { at } = time;
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
