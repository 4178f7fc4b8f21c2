import type { SearchState } from "../search/state.js";

export interface DescentOptions {
  /** Workloads that may end up away from where they started. */
  readonly maxMoves: number;
  /** Moves that save less than this are not made. */
  readonly minGain: number;
}

const NOWHERE = -1;

/**
 * Steepest descent: again and again the one move of all that lowers the cost most. Each workload's best destination is
 * remembered; a move touches two nodes, so most of that stays true. Changes `state`.
 */
export function descendSteepest(state: SearchState, options: DescentOptions): void {
  const { workloads, start } = state.model;
  const table = new BestMoves(state);
  for (;;) {
    const full = state.moves.moved >= options.maxMoves;
    let chosen = NOWHERE;
    let chosenDelta = -options.minGain;
    for (let w = 0; w < workloads; w++) {
      if ((table.delta[w] as number) >= chosenDelta || (full && state.assignment[w] === start[w])) continue;
      chosen = w;
      chosenDelta = table.delta[w] as number;
    }
    if (chosen === NOWHERE) return;
    const from = state.assignment[chosen] as number;
    const to = table.to[chosen] as number;
    // A rule that reaches over other nodes (groups) may have changed since the move was remembered.
    if (!state.mayShift(chosen, to)) {
      table.recall(chosen);
      continue;
    }
    state.shift(chosen, to);
    table.update(from, to);
  }
}

class BestMoves {
  readonly to: Int32Array;
  readonly delta: Float64Array;

  constructor(private readonly state: SearchState) {
    const { workloads } = state.model;
    this.to = new Int32Array(workloads).fill(NOWHERE);
    this.delta = new Float64Array(workloads);
    for (let w = 0; w < workloads; w++) this.recall(w);
  }

  /** Looks at every destination of one workload. */
  recall(workload: number): void {
    this.to[workload] = NOWHERE;
    this.delta[workload] = 0;
    for (let node = 0; node < this.state.model.nodes; node++) this.consider(workload, node);
  }

  /** After a move between two nodes. */
  update(a: number, b: number): void {
    const { assignment, model } = this.state;
    for (let w = 0; w < model.workloads; w++) {
      const at = assignment[w];
      const to = this.to[w];
      if (at === a || at === b || to === a || to === b) this.recall(w);
      else {
        this.consider(w, a);
        this.consider(w, b);
      }
    }
  }

  private consider(workload: number, node: number): void {
    const { state } = this;
    const from = state.assignment[workload] as number;
    if (from === node) return;
    const delta = state.shiftDelta(workload, node);
    if (delta >= (this.delta[workload] as number) || !state.mayShift(workload, node)) return;
    this.delta[workload] = delta;
    this.to[workload] = node;
  }
}
