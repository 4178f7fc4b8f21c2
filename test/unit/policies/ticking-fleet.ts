import { applyMoves } from "../../../policies/apply-plan.js";
import type { PolicyConfig } from "../../../policies/config.js";
import { decide } from "../../../policies/decide.js";
import type { Move, NodePoint, Plan, Snapshot } from "../../../policies/types.js";

const TICK_SECONDS = 10;
const SMOOTHING = 0.3;

/**
 * Lets time pass over a snapshot: each tick measures the workloads' demand, smooths it as a collector does, decides, and
 * carries the plan out. `demand` gives a workload's cores at a tick; undefined keeps what the snapshot says.
 */
export function runTicks(
  start: Snapshot,
  config: PolicyConfig,
  ticks: number,
  demand: (workload: string, tick: number) => number | undefined = () => undefined,
): { readonly moves: (Move & { readonly at: number })[]; readonly plans: Plan[]; readonly end: Snapshot } {
  const moves: (Move & { at: number })[] = [];
  const plans: Plan[] = [];
  let state = start;
  for (let tick = 1; tick <= ticks; tick++) {
    state = measure(state, start.at + tick * TICK_SECONDS, (workload) => demand(workload, tick));
    const plan = decide(state, config, state.at);
    plans.push(plan);
    moves.push(...plan.moves.map((move) => ({ ...move, at: state.at })));
    state = settle(state, plan.moves);
  }
  return { moves, plans, end: state };
}

/** Workloads change place at once; the nodes' readings only follow at the next measurement. */
function settle(state: Snapshot, moves: readonly Move[]): Snapshot {
  return { ...applyMoves(state, moves, state.at), nodes: state.nodes };
}

function measure(state: Snapshot, at: number, demand: (workload: string) => number | undefined): Snapshot {
  const workloads = state.workloads.map((workload) => ({ ...workload, cpuUsedCores: demand(workload.id) ?? workload.cpuUsedCores }));
  const used = new Map<string, number>();
  for (const workload of workloads) used.set(workload.node, (used.get(workload.node) ?? 0) + (workload.cpuUsedCores ?? 0));
  const nodes = state.nodes.map((node) => {
    const cpuUsedCores = Math.min(used.get(node.id) ?? 0, node.cpuCapacityCores);
    const point: NodePoint = { at, cpuRatio: cpuUsedCores / node.cpuCapacityCores, memoryRatio: node.history.at(-1)?.memoryRatio ?? 0.3 };
    const smoothed = (node.cpuUsedCores ?? cpuUsedCores) * (1 - SMOOTHING) + cpuUsedCores * SMOOTHING;
    return { ...node, cpuUsedCores: smoothed, history: [...node.history.slice(-30), point] };
  });
  return { ...state, at, nodes, workloads };
}
