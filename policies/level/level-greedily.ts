import type { Random } from "../search/random.js";
import type { SearchState } from "../search/state.js";
import { CostQueue } from "./cost-queue.js";
import type { DescentOptions } from "./steepest.js";

/** Destinations tried for the workloads of a node. */
const SAMPLED_TARGETS = 24;

/**
 * Descent for fleets too large for `descendSteepest`: always the best move out of the costliest node, to one of a sample of
 * destinations. Changes `state`.
 */
export function levelGreedily(state: SearchState, options: DescentOptions, random: Random): void {
  const queue = new CostQueue(state.nodeCost);
  for (let source = queue.take(); source >= 0; source = queue.take()) {
    const move = bestMove(state, source, options, draw(random, state));
    // A node that finds nothing leaves the queue until a move changes it.
    if (move === null) continue;
    state.shift(move.workload, move.to);
    queue.add(source);
    queue.add(move.to);
  }
}

function draw(random: Random, state: SearchState): number[] {
  return Array.from({ length: SAMPLED_TARGETS }, () => random.below(state.model.nodes));
}

interface Candidate {
  readonly workload: number;
  readonly to: number;
}

function bestMove(state: SearchState, from: number, options: DescentOptions, targets: readonly number[]): Candidate | null {
  const { members, assignment, moves, model, nodeCost } = state;
  const full = moves.moved >= options.maxMoves;
  let bestDelta = -options.minGain;
  let best: Candidate | null = null;
  for (const workload of members.onNode[from] as number[]) {
    if (full && assignment[workload] === model.start[workload]) continue;
    const leaving = state.costWithout(workload, from) - (nodeCost[from] as number);
    // What being here costs is given back at most; the way home may give back what its group pays too.
    const refund = moves.costAt(workload, from);
    for (const to of targets) {
      if (to === from) continue;
      const before = nodeCost[to] as number;
      const levelDelta = leaving + state.costWith(workload, to, Number.POSITIVE_INFINITY) - before;
      if (levelDelta - refund >= bestDelta && to !== model.start[workload]) continue;
      const delta = levelDelta + moves.shiftDelta(workload, from, to);
      if (delta >= bestDelta || !state.mayShift(workload, to)) continue;
      bestDelta = delta;
      best = { workload, to };
    }
  }
  return best;
}
