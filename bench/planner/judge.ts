import type { Snapshot } from "../../policies/types.js";

/** One step of a planner's answer, in order; a workload may have several. */
export interface Step {
  readonly workload: string;
  readonly to: string;
}

/** What both planners are measured by. Ratios are of a node's capacity; the deviation is over all nodes. */
export interface Judgement {
  readonly cpuStddev: number;
  readonly cpuMax: number;
  readonly memoryStddev: number;
  readonly memoryMax: number;
  readonly moves: number;
  /** Memory of what was moved, counted at each move. */
  readonly bytes: number;
}

/** Carries the steps out one after the other. @throws Error at a step that breaks capacity or anti-affinity */
export function judge(start: Snapshot, steps: readonly Step[]): Judgement {
  const nodes = new Map(start.nodes.map((node) => [node.id, { ...node, cpu: 0, memory: 0, groups: new Set<string>() }]));
  const workloads = new Map(start.workloads.map((workload) => [workload.id, { ...workload }]));
  const nodeOf = (id: string) => nodes.get(id) ?? fail(`there is no node ${id}`);
  const change = (nodeId: string, workload: { cpuUsedCores: number | null; memoryUsedBytes: number | null }, sign: 1 | -1) => {
    const node = nodeOf(nodeId);
    node.cpu += sign * (workload.cpuUsedCores ?? 0);
    node.memory += sign * (workload.memoryUsedBytes ?? 0);
  };
  for (const workload of workloads.values()) {
    change(workload.node, workload, 1);
    if (workload.constraints.antiAffinityGroup) nodeOf(workload.node).groups.add(workload.constraints.antiAffinityGroup);
  }
  let bytes = 0;
  for (const [index, step] of steps.entries()) {
    const workload = workloads.get(step.workload) ?? fail(`step ${index + 1}: there is no workload ${step.workload}`);
    const target = nodeOf(step.to);
    const group = workload.constraints.antiAffinityGroup;
    // The destination holds it before the source lets go.
    change(step.to, workload, 1);
    if (target.cpu > target.cpuCapacityCores + 1e-9) fail(`step ${index + 1} overfills the CPU of ${step.to}`);
    if (target.memory > target.memoryCapacityBytes) fail(`step ${index + 1} overfills the memory of ${step.to}`);
    change(workload.node, workload, -1);
    if (group !== null) {
      nodeOf(workload.node).groups.delete(group);
      if (target.groups.has(group)) fail(`step ${index + 1} puts two of ${group} on ${step.to}`);
      target.groups.add(group);
    }
    workload.node = step.to;
    bytes += workload.memoryUsedBytes ?? 0;
  }
  const all = [...nodes.values()];
  const cpu = spread(all.map((node) => node.cpu / node.cpuCapacityCores));
  const memory = spread(all.map((node) => node.memory / node.memoryCapacityBytes));
  return { cpuStddev: cpu.stddev, cpuMax: cpu.max, memoryStddev: memory.stddev, memoryMax: memory.max, moves: steps.length, bytes };
}

function spread(ratios: readonly number[]): { stddev: number; max: number } {
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const squares = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0);
  return { stddev: Math.sqrt(squares / ratios.length), max: ratios.reduce((most, ratio) => Math.max(most, ratio), 0) };
}

function fail(message: string): never {
  throw new Error(message);
}
