import type { SearchModel } from "../search/model.js";
import { SearchState } from "../search/state.js";

export interface LevelMove {
  readonly workload: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Puts moves in an order in which each one has room when it is made, while its source still holds it. What never gets room
 * (a cycle of full nodes) stays where it is.
 */
export function sequence(model: SearchModel, assignment: Int32Array): LevelMove[] {
  const state = new SearchState(model);
  const moves: LevelMove[] = [];
  let waiting: number[] = [];
  for (let w = 0; w < model.workloads; w++) if (assignment[w] !== model.start[w]) waiting.push(w);
  for (;;) {
    const blocked: number[] = [];
    for (const workload of waiting) {
      const to = assignment[workload] as number;
      if (!state.mayShift(workload, to)) {
        blocked.push(workload);
        continue;
      }
      moves.push({ workload, from: state.assignment[workload] as number, to });
      state.shift(workload, to);
    }
    if (blocked.length === 0 || blocked.length === waiting.length) return moves;
    waiting = blocked;
  }
}
