import { percentileOf } from "../estimate/percentile.js";
import type { NodeState, Snapshot } from "../types.js";

export interface IdleUse {
  readonly cpuRatio: number;
  readonly memoryRatio: number;
}

/** What a node uses besides its workloads: the median of those that are heard. Nothing else is known of one that sleeps. */
export function usualIdle({ nodes, workloads }: Pick<Snapshot, "nodes" | "workloads">): IdleUse {
  const used = new Map<string, { cpuCores: number; memoryBytes: number }>();
  for (const { node, cpuUsedCores, memoryUsedBytes } of workloads) {
    const sum = used.get(node) ?? { cpuCores: 0, memoryBytes: 0 };
    used.set(node, { cpuCores: sum.cpuCores + (cpuUsedCores ?? 0), memoryBytes: sum.memoryBytes + (memoryUsedBytes ?? 0) });
  }
  const heard = nodes.filter(
    ({ state, cpuUsedCores, memoryUsedBytes }) => state === "ready" && cpuUsedCores !== null && memoryUsedBytes !== null,
  );
  const rest = (total: number, mine: number, capacity: number) => (capacity > 0 ? Math.max(0, total - mine) / capacity : 0);
  const cpu = heard.map((node) => rest(node.cpuUsedCores!, used.get(node.id)?.cpuCores ?? 0, node.cpuCapacityCores));
  const memory = heard.map((node) => rest(node.memoryUsedBytes!, used.get(node.id)?.memoryBytes ?? 0, node.memoryCapacityBytes));
  return { cpuRatio: percentileOf(cpu, 0.5) ?? 0, memoryRatio: percentileOf(memory, 0.5) ?? 0 };
}

/** A node that sleeps, as it will be once it is awake: empty, and read at these times. */
export function asAwake(node: NodeState, idle: IdleUse, readAt: readonly number[], wokenAt: number): NodeState {
  return {
    ...node,
    state: "ready",
    power: null,
    executorSilent: false,
    wokenAt,
    cpuUsedCores: idle.cpuRatio * node.cpuCapacityCores,
    memoryUsedBytes: idle.memoryRatio * node.memoryCapacityBytes,
    history: readAt.map((at) => ({ at, ...idle })),
  };
}

/** One that is silent because it sleeps or wakes. */
export function asAway(node: NodeState, power: "asleep" | "waking"): NodeState {
  return { ...node, state: "unknown", power, cpuUsedCores: null, memoryUsedBytes: null, history: [] };
}
