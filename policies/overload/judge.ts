import { isSettling, type Judgement, type PlanContext, type Resource } from "../context.js";
import type { NodeView } from "../fleet.js";
import { DEFAULT_SAMPLE_TTL_SECONDS } from "../types.js";
import { percent } from "../words.js";
import { type Bounds, detectOverload, type Heat } from "./detect.js";

/** Null for a node that is neither overloaded nor on its way there. */
export function judgeLoad(node: NodeView, { config, fleet, now }: PlanContext): Judgement | null {
  const { overload } = config;
  const { holdSeconds } = overload;
  const times = { holdSeconds, holeSeconds: fleet.snapshot.sampleTtlSeconds ?? DEFAULT_SAMPLE_TTL_SECONDS };
  const heat: Record<Resource, Heat> = {
    cpu: detect(node, "cpu", { detectRatio: overload.cpuDetectRatio, fixRatio: overload.cpuFixRatio, ...times }),
    memory: detect(node, "memory", { detectRatio: overload.memoryDetectRatio, fixRatio: overload.memoryFixRatio, ...times }),
  };
  const hot = (["cpu", "memory"] as const).filter((resource) => heat[resource] === "overloaded");
  const numbers = describeLoad(node);
  if (hot.length > 0) {
    if (isSettling(node, config, now)) {
      return { node: node.id, verdict: "warming", because: `${numbers}, but a workload has just moved here or away: settling.`, hot: [] };
    }
    const bounds = hot.map(
      (resource) => `${resource} over ${percent(resource === "cpu" ? overload.cpuDetectRatio : overload.memoryDetectRatio)}`,
    );
    return { node: node.id, verdict: "overloaded", because: `${numbers}: ${bounds.join(" and ")} for ${holdSeconds} s.`, hot };
  }
  if (heat.cpu !== "warming" && heat.memory !== "warming") return null;
  const because = `${numbers}: above the bound just now, not yet for ${holdSeconds} s in latest and smoothed readings.`;
  return { node: node.id, verdict: "warming", because, hot: [] };
}

export function describeLoad({ load, state }: NodeView): string {
  const cpu = percent(load!.cpuCores.low / state.cpuCapacityCores);
  return `CPU ${cpu}, memory ${percent(load!.memoryBytes.low / state.memoryCapacityBytes)}`;
}

function detect({ state }: NodeView, resource: Resource, bounds: Bounds): Heat {
  if (resource === "cpu") return detectOverload(state.history, "cpuRatio", (state.cpuUsedCores ?? 0) / state.cpuCapacityCores, bounds);
  return detectOverload(state.history, "memoryRatio", (state.memoryUsedBytes ?? 0) / state.memoryCapacityBytes, bounds);
}
