import type { SearchModel } from "../search/model.js";
import { Random } from "../search/random.js";
import { SearchState } from "../search/state.js";
import { improveOn } from "./improve-on.js";
import { levelGreedily } from "./level-greedily.js";
import { type LevelMove, sequence } from "./sequence.js";
import { type DescentOptions, descendSteepest } from "./steepest.js";
import { type Temperatures, tradeMoves } from "./trade-moves.js";

export interface LevelOptions extends DescentOptions {
  readonly seed: number;
  /** How long moves are traded for better ones: proposals looked at, about three million a second. */
  readonly proposals: number;
  /** Of trading, as shares of what a move of the descent saved on average; absent = by whether the budget of moves binds. */
  readonly temperatures?: Temperatures;
}

/** Up to so many pairs of workload and node, all of them are weighed for each move. */
const EXACT_PAIRS = 400_000;
/** The budget of moves binds where the descent has used this much of it: another few would have been of use. */
const BOUND_SHARE = 0.8;
/** Temperatures of trading, as shares of what a move of the descent saved on average: while the budget of moves is what binds … */
const BOUND: Temperatures = { warm: 0.1, cold: 0.003 };
/** … and where nothing but small improvements is left. */
const FREE: Temperatures = { warm: 0.0003, cold: 0.00001 };

/** Levels the nodes of a model that has levels, with few moves, in milliseconds to seconds. Pure, and the same for the same seed. */
export function levelFleet(model: SearchModel, options: LevelOptions): LevelMove[] {
  const { maxMoves, proposals, minGain } = options;
  const random = new Random(options.seed);
  const state = new SearchState(model);
  state.moves.maxMoves = maxMoves;
  const before = state.cost;
  const isExact = model.nodes * model.workloads <= EXACT_PAIRS;
  if (isExact) descendSteepest(state, options);
  else levelGreedily(state, options, random);
  if (state.moves.moved === 0) return [];
  const isBound = state.moves.moved >= BOUND_SHARE * maxMoves;
  const { warm, cold } = options.temperatures ?? (isBound ? BOUND : FREE);
  const meanGain = (before - state.cost) / state.moves.moved;
  tradeMoves(state, { maxMoves, proposals, warm: meanGain * warm, cold: meanGain * cold, random });
  const moves = sequence(model, state.assignment, minGain);
  return isExact && isBound ? improveOn(moves, model, options, random) : moves;
}
