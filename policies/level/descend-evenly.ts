import type { SearchState } from "../search/state.js";
import { deviationOf } from "./spread.js";
import type { DescentOptions } from "./steepest.js";

/**
 * Again and again the move that lowers the sum of all levels' standard deviations most, as long as it lowers the cost as well: what a careful
 * greedy planner does that stops after so many moves. Looks at every pair of workload and node for every move. Changes `state`.
 */
export function descendEvenly(state: SearchState, options: DescentOptions): void {
  const { workloads, nodes } = state.model;
  const spread = new SpreadAfter(state);
  for (let made = 0; made < options.maxMoves; made++) {
    let best = spread.begin();
    let [chosen, to] = [-1, -1];
    for (let w = 0; w < workloads; w++) {
      const from = state.assignment[w]!;
      spread.leave(w);
      for (let node = 0; node < nodes; node++) {
        if (node === from) continue;
        const after = spread.arrive(node);
        if (after >= best || state.shiftDelta(w, node) >= -options.minGain || !state.mayShift(w, node)) continue;
        [best, chosen, to] = [after, w, node];
      }
    }
    if (chosen < 0) return;
    state.shift(chosen, to);
  }
}

/** The sum of all levels' deviations, now and after any one move: from sums of the nodes' gaps and of their squares. */
class SpreadAfter {
  private readonly levels: number;
  private readonly sum: Float64Array;
  private readonly squares: Float64Array;
  /** The same once the workload has left its node, and what it weighs. */
  private readonly sumLeft: Float64Array;
  private readonly squaresLeft: Float64Array;
  private readonly amount: Float64Array;

  constructor(private readonly state: SearchState) {
    this.levels = state.model.levels.length;
    this.sum = new Float64Array(this.levels);
    this.squares = new Float64Array(this.levels);
    this.sumLeft = new Float64Array(this.levels);
    this.squaresLeft = new Float64Array(this.levels);
    this.amount = new Float64Array(this.levels);
  }

  begin(): number {
    const { levels, sum, squares } = this;
    const { levelGap, model } = this.state;
    sum.fill(0);
    squares.fill(0);
    for (let i = 0; i < levelGap.length; i++) {
      const gap = levelGap[i]!;
      sum[i % levels] = sum[i % levels]! + gap;
      squares[i % levels] = squares[i % levels]! + gap * gap;
    }
    let total = 0;
    for (let l = 0; l < levels; l++) total += deviationOf(sum[l]!, squares[l]!, model.nodes);
    return total;
  }

  leave(workload: number): void {
    const { levelGap, levelUnit, model, assignment } = this.state;
    for (let l = 0, i = assignment[workload]! * this.levels; l < this.levels; l++, i++) {
      const amount = model.requirement[workload * model.resources + model.levels[l]!.resource]!;
      const before = levelGap[i]!;
      const after = before - levelUnit[i]! * amount;
      this.amount[l] = amount;
      this.sumLeft[l] = this.sum[l]! - before + after;
      this.squaresLeft[l] = this.squares[l]! - before * before + after * after;
    }
  }

  arrive(node: number): number {
    const { levelGap, levelUnit, model } = this.state;
    let total = 0;
    for (let l = 0, i = node * this.levels; l < this.levels; l++, i++) {
      const before = levelGap[i]!;
      const after = before + levelUnit[i]! * this.amount[l]!;
      total += deviationOf(this.sumLeft[l]! - before + after, this.squaresLeft[l]! - before * before + after * after, model.nodes);
    }
    return total;
  }
}
