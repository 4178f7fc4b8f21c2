import type { PolicyConfig } from "../config.js";
import { isSettling, type Judgement, type Resource } from "../context.js";
import type { Fleet, NodeView } from "../fleet.js";
import { detectOverload } from "../overload/detect.js";
import { percent, plural } from "../words.js";
import type { Load } from "./estimate.js";

/** What each node is in, with a sentence that holds the numbers. */
export function judgeNodes(fleet: Fleet, config: PolicyConfig, now: number): Map<string, Judgement> {
  const touching = new Map<string, number>();
  for (const { from, to } of fleet.migrations) for (const end of new Set([from, to])) touching.set(end, (touching.get(end) ?? 0) + 1);
  return new Map(fleet.nodes.map((node) => [node.id, judgeNode(node, touching.get(node.id) ?? 0, config, now)]));
}

function judgeNode(node: NodeView, moves: number, config: PolicyConfig, now: number): Judgement {
  if (node.load === null) return { node: node.id, verdict: "unknown", because: sayUnknown(node), hot: [] };
  if (node.state.maintenance !== null) return judgeDrain(node, moves, config);
  return judgeLoad(node, node.load, config, now);
}

function sayUnknown(node: NodeView): string {
  const why = node.state.state === "unknown" ? "It is silent or its readings failed" : "Its use or its capacity is not known";
  const cordon = node.state.maintenance === null ? "" : "; under maintenance, but nothing can be said of what still runs there";
  return `${why}: neither source nor target${cordon}.`;
}

function judgeDrain(node: NodeView, moves: number, config: PolicyConfig): Judgement {
  const left = node.workloads.length;
  const reason = node.state.maintenance?.reason || "no reason given";
  if (left === 0 && moves === 0) return { node: node.id, verdict: "drained", because: `Empty, under maintenance (${reason}).`, hot: [] };
  const off = config.maintenance.enabled ? "" : "; draining is switched off, it is only cordoned";
  const because = `Under maintenance (${reason}): ${plural(left, "workload")} left, ${plural(moves, "migration")} under way${off}.`;
  return { node: node.id, verdict: "draining", because, hot: [] };
}

function judgeLoad(node: NodeView, load: Load, config: PolicyConfig, now: number): Judgement {
  const { overload } = config;
  const cpuRatio = load.cpuCores.low / node.state.cpuCapacityCores;
  const memoryRatio = load.memoryBytes.low / node.state.memoryCapacityBytes;
  const numbers = `CPU ${percent(cpuRatio)}, memory ${percent(memoryRatio)}`;
  if (!overload.enabled) return { node: node.id, verdict: "level", because: `${numbers}; overload is not judged.`, hot: [] };
  const { history } = node.state;
  const cpuBounds = { detectRatio: overload.cpuDetectRatio, fixRatio: overload.cpuFixRatio, holdSeconds: overload.holdSeconds };
  const memoryBounds = { detectRatio: overload.memoryDetectRatio, fixRatio: overload.memoryFixRatio, holdSeconds: overload.holdSeconds };
  const cpu = detectOverload(history, "cpuRatio", (node.state.cpuUsedCores ?? 0) / node.state.cpuCapacityCores, cpuBounds);
  const memory = detectOverload(history, "memoryRatio", (node.state.memoryUsedBytes ?? 0) / node.state.memoryCapacityBytes, memoryBounds);
  const hot: Resource[] = [];
  if (cpu === "overloaded") hot.push("cpu");
  if (memory === "overloaded") hot.push("memory");
  if (hot.length > 0) {
    if (isSettling(node, config, now)) {
      return { node: node.id, verdict: "warming", because: `${numbers}, but a workload has just moved here or away: settling.`, hot: [] };
    }
    const bounds = hot.map(
      (resource) => `${resource} over ${percent(resource === "cpu" ? overload.cpuDetectRatio : overload.memoryDetectRatio)}`,
    );
    return { node: node.id, verdict: "overloaded", because: `${numbers}: ${bounds.join(" and ")} for ${overload.holdSeconds} s.`, hot };
  }
  if (cpu === "warming" || memory === "warming") {
    const because = `${numbers}: above the bound just now, not yet for ${overload.holdSeconds} s in latest and smoothed readings.`;
    return { node: node.id, verdict: "warming", because, hot: [] };
  }
  return { node: node.id, verdict: "level", because: `${numbers}.`, hot: [] };
}
