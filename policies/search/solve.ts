import type { SearchModel } from "./model.js";
import { type Heat, Search, SLICE_PROPOSALS } from "./search.js";
import { SearchState } from "./state.js";

export interface SolveOptions {
  readonly seed: number;
  /** Proposals to look at. Ignored when `progress` is given. */
  readonly steps?: number;
  /** For time budgets: the share of the budget that is used, 0 … 1; asked every thousand steps. The answer then depends on the machine's speed. */
  readonly progress?: () => number;
  /** At most so many workloads away from their start node. */
  readonly maxMoves?: number;
  /** Asked every thousand steps; true ends the search with the best so far. */
  readonly shouldStop?: () => boolean;
  /** How hot the search begins; default `mild`. */
  readonly heat?: Heat;
  /** Where to start from instead of the model's start. */
  readonly from?: Int32Array;
}

export interface Solution {
  readonly assignment: Int32Array;
  readonly cost: number;
  readonly initialCost: number;
  readonly steps: number;
}

const DEFAULT_STEPS = 1_000_000;
/** A short budget is spent in smaller slices, so that the temperature still falls in so many steps. */
const LEAST_SLICES = 1000;

/** Searches until the budget is used up. Never worse than the start, and breaks no rule that holds there. */
export function solve(model: SearchModel, options: SolveOptions): Solution {
  const search = new Search(model, options);
  const budget = options.steps ?? DEFAULT_STEPS;
  const slice = options.progress ? undefined : Math.min(SLICE_PROPOSALS, Math.max(1, Math.floor(budget / LEAST_SLICES)));
  const progressOf = options.progress ?? (() => search.steps / budget);
  for (let progress = progressOf(); progress < 1 && !options.shouldStop?.(); progress = progressOf()) search.advance(progress, slice);
  const assignment = search.bestAssignment.slice();
  // Counted anew: the search's own sum carries the rounding of many moves.
  return { assignment, cost: new SearchState(model, assignment).cost, initialCost: search.initialCost, steps: search.steps };
}
