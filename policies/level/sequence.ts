import type { SearchModel } from "../search/model.js";
import { SearchState } from "../search/state.js";

export interface LevelMove {
  readonly workload: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Puts moves in an order in which each one has room when it is made, while its source still holds it. Where the rest wait for
 * each other (a cycle of full nodes), they go to the best node that has room, or stay if none is worth `minGain`.
 */
export function sequence(model: SearchModel, assignment: Int32Array, minGain: number): LevelMove[] {
  const state = new SearchState(model);
  const moves: LevelMove[] = [];
  const make = (workload: number, to: number) => {
    moves.push({ workload, from: state.assignment[workload] as number, to });
    state.shift(workload, to);
  };
  let waiting: number[] = [];
  for (let w = 0; w < model.workloads; w++) if (assignment[w] !== model.start[w]) waiting.push(w);
  for (;;) {
    const before = moves.length;
    waiting = waiting.filter((workload) => {
      const to = assignment[workload] as number;
      if (!state.mayShift(workload, to)) return true;
      make(workload, to);
      return false;
    });
    if (waiting.length === 0) return moves;
    if (moves.length > before) continue;
    waiting = waiting.filter((workload) => {
      const to = bestWithRoom(state, workload, minGain);
      if (to === null) return true;
      make(workload, to);
      return false;
    });
    if (moves.length === before) return moves;
  }
}

function bestWithRoom(state: SearchState, workload: number, minGain: number): number | null {
  let best: number | null = null;
  let bestDelta = -minGain;
  for (let node = 0; node < state.model.nodes; node++) {
    if (node === state.assignment[workload]) continue;
    const delta = state.shiftDelta(workload, node);
    if (delta >= bestDelta || !state.mayShift(workload, node)) continue;
    best = node;
    bestDelta = delta;
  }
  return best;
}
