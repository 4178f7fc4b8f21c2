import type { Move, NodePoint, NodeState, Plan, Snapshot, WorkloadState } from "./types.js";

/** The snapshot as it will be once all moves of the plan are done and measured: for tests, what-if and the plan's own forecast. */
export function applyPlan(snapshot: Snapshot, plan: Pick<Plan, "at" | "moves">): Snapshot {
  return applyMoves(snapshot, plan.moves, plan.at);
}

export function applyMoves(snapshot: Snapshot, moves: readonly Move[], at: number): Snapshot {
  if (moves.length === 0) return snapshot;
  const moved = new Map<string, WorkloadState>();
  const moveOf = new Map(moves.map((move) => [move.workload, move]));
  const change = new Map<string, { cpuCores: number; memoryBytes: number }>();
  const add = (node: string, workload: WorkloadState, sign: 1 | -1) => {
    const sum = change.get(node) ?? { cpuCores: 0, memoryBytes: 0 };
    sum.cpuCores += sign * (workload.cpuUsedCores ?? 0);
    sum.memoryBytes += sign * (workload.memoryUsedBytes ?? 0);
    change.set(node, sum);
  };
  const workloads = snapshot.workloads.map((workload) => {
    const move = moveOf.get(workload.id);
    if (move?.from !== workload.node) return workload;
    moved.set(workload.id, workload);
    return { ...workload, node: move.to, lastMovedAt: at, lastMovedFrom: move.from };
  });
  // Summed in the order of the moves: rounding must not depend on the order of the input.
  for (const move of moves) {
    const workload = moved.get(move.workload);
    if (!workload) continue;
    add(move.from, workload, -1);
    add(move.to, workload, 1);
  }
  const nodes = snapshot.nodes.map((node) => {
    const sum = change.get(node.id);
    return sum ? changeNode(node, sum.cpuCores, sum.memoryBytes, at) : node;
  });
  const isLevelled = moves.some(({ reason }) => reason === "balance");
  return { ...snapshot, at, nodes, workloads, ...(isLevelled && { levelledAt: at }) };
}

function changeNode(node: NodeState, cpuCores: number, memoryBytes: number, at: number): NodeState {
  const last = node.history.at(-1);
  const point: NodePoint = {
    at,
    cpuRatio: shift(last ? last.cpuRatio : ratio(node.cpuUsedCores, node.cpuCapacityCores), cpuCores / node.cpuCapacityCores),
    memoryRatio: shift(
      last ? last.memoryRatio : ratio(node.memoryUsedBytes, node.memoryCapacityBytes),
      memoryBytes / node.memoryCapacityBytes,
    ),
  };
  const history = last && last.at >= at ? node.history.slice(0, -1) : node.history;
  return {
    ...node,
    cpuUsedCores: shift(node.cpuUsedCores, cpuCores),
    memoryUsedBytes: shift(node.memoryUsedBytes, memoryBytes),
    history: [...history, point],
  };
}

function ratio(used: number | null, capacity: number): number | null {
  return used === null ? null : used / capacity;
}

function shift(value: number | null, by: number): number | null {
  return value === null ? null : Math.max(0, value + by);
}
