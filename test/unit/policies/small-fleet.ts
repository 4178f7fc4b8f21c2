import { DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../../../policies/config.js";
import type { Constraints, NodePoint, NodeState, OpenMigration, Snapshot, WorkloadState } from "../../../policies/types.js";

export const NOW = 100_000;
export const GIBIBYTE = 2 ** 30;

/** Eight cores and 16 GiB; the history is flat for two minutes, one point every ten seconds. */
export function node(id: string, cpuRatio: number, memoryRatio = 0.3, override: Partial<NodeState> = {}): NodeState {
  const cpuCapacityCores = override.cpuCapacityCores ?? 8;
  const memoryCapacityBytes = override.memoryCapacityBytes ?? 16 * GIBIBYTE;
  return {
    id,
    state: "ready",
    cpuCapacityCores,
    memoryCapacityBytes,
    cpuUsedCores: cpuRatio * cpuCapacityCores,
    memoryUsedBytes: memoryRatio * memoryCapacityBytes,
    history: flatHistory(cpuRatio, memoryRatio),
    maintenance: null,
    labels: {},
    ...override,
  };
}

/** Flat for longer than anything is judged by. */
export function steady(id: string, cpuRatio: number, memoryRatio = 0.3, override: Partial<NodeState> = {}): NodeState {
  return node(id, cpuRatio, memoryRatio, { history: flatHistory(cpuRatio, memoryRatio, NOW, 400), ...override });
}

export function flatHistory(cpuRatio: number | null, memoryRatio: number | null = 0.3, until = NOW, seconds = 120): NodePoint[] {
  const points: NodePoint[] = [];
  for (let at = until - seconds; at <= until; at += 10) points.push({ at, cpuRatio, memoryRatio });
  return points;
}

export function draining(id: string, cpuRatio: number, memoryRatio = 0.3, deadline: number | null = null): NodeState {
  return node(id, cpuRatio, memoryRatio, { maintenance: { since: NOW - 10, deadline, reason: "new disks" } });
}

export function workload(id: string, on: string, cpuUsedCores: number | null, override: Partial<WorkloadState> = {}): WorkloadState {
  return {
    id,
    name: id,
    node: on,
    cpuUsedCores,
    memoryUsedBytes: GIBIBYTE / 2,
    cpuLimitCores: null,
    memoryLimitBytes: null,
    constraints: constraints(),
    lastMovedAt: null,
    ...override,
  };
}

/** A little CPU, and so much memory. */
export function sized(id: string, on: string, gibibytes: number, override: Partial<WorkloadState> = {}): WorkloadState {
  return workload(id, on, 0.2, { memoryUsedBytes: gibibytes * GIBIBYTE, ...override });
}

export function constraints(override: Partial<Constraints> = {}): Constraints {
  return { mode: "auto", antiAffinityGroup: null, pinnedTo: [], ...override };
}

export function snapshot(nodes: NodeState[], workloads: WorkloadState[] = [], migrations: OpenMigration[] = []): Snapshot {
  return { at: NOW, nodes, workloads, migrations };
}

/** One node that is overloaded by one workload, and one that has room for it. */
export function hot(override: Partial<Snapshot> = {}, more: Partial<WorkloadState> = {}): Snapshot {
  return { ...snapshot([node("n1", 0.9), node("n2", 0.1)], [workload("a", "n1", 3, more)]), ...override };
}

/** The defaults, with no limit on how much moves at once unless a test asks for one. */
export function config(override: { [K in keyof PolicyConfig]?: Partial<PolicyConfig[K]> | PolicyConfig[K] } = {}): PolicyConfig {
  const base: PolicyConfig = { ...DEFAULT_POLICY_CONFIG, concurrency: { perNode: 1000, fleet: 1000 } };
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(override)) {
    const before = merged[key];
    merged[key] = typeof value === "object" && typeof before === "object" ? { ...before, ...value } : value;
  }
  return merged as unknown as PolicyConfig;
}
