import type { NodeSample } from "../../collector/protocol.js";
import { type ForecastConfig, learnLoad } from "../../policies/forecast/load-forecast.js";
import type { LoadPast } from "../../policies/types.js";
import { workloadIdOf } from "./place-workloads.js";

/** What each workload has used so far, as far as this process has seen it: after a restart it begins anew, and nothing is taken for steady. */
export interface Loads {
  learn(samples: readonly NodeSample[], forecast: ForecastConfig): void;
  of(workload: string): LoadPast | null;
}

/** One that has not been seen for so long is forgotten. */
const FORGET_SECONDS = 3600;

export function rememberLoads(): Loads {
  const pasts = new Map<string, LoadPast>();
  let newestAt = 0;
  return {
    learn: (samples, forecast) => {
      for (const { at, workloads } of samples) {
        newestAt = Math.max(newestAt, at);
        for (const workload of workloads) {
          // One that is held still for a move would seem idle.
          if (workload.state !== "running" || workload.cpuUsedCores === null) continue;
          const id = workloadIdOf(workload);
          pasts.set(id, learnLoad(pasts.get(id) ?? null, workload.cpuUsedCores, at, forecast));
        }
      }
      for (const [id, { at }] of pasts) if (newestAt - at > FORGET_SECONDS) pasts.delete(id);
    },
    of: (workload) => pasts.get(workload) ?? null,
  };
}
