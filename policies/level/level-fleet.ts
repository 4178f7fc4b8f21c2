import type { SearchModel } from "../search/model.js";
import { Random } from "../search/random.js";
import { SearchState } from "../search/state.js";
import { levelGreedily } from "./level-greedily.js";
import { type LevelMove, sequence } from "./sequence.js";
import { type DescentOptions, descendSteepest } from "./steepest.js";
import { tradeMoves } from "./trade-moves.js";

export interface LevelOptions extends DescentOptions {
  readonly seed: number;
  /** How long moves are traded for better ones: proposals looked at, about three million a second. */
  readonly proposals: number;
}

/** Up to so many pairs of workload and node, all of them are weighed for each move. */
const EXACT_PAIRS = 400_000;
/** Temperatures of trading, as shares of what a move of the descent saved on average. */
const WARM_SHARE = 0.1;
const COLD_SHARE = 0.003;

/** Levels the nodes of a model that has levels, with few moves, in milliseconds to seconds. Pure, and the same for the same seed. */
export function levelFleet(model: SearchModel, options: LevelOptions): LevelMove[] {
  const random = new Random(options.seed);
  const state = new SearchState(model);
  state.moves.maxMoves = options.maxMoves;
  const before = state.cost;
  if (model.nodes * model.workloads <= EXACT_PAIRS) descendSteepest(state, options);
  else levelGreedily(state, options, random);
  if (state.moves.moved === 0) return [];
  const meanGain = (before - state.cost) / state.moves.moved;
  const { maxMoves, proposals } = options;
  tradeMoves(state, { maxMoves, proposals, warm: meanGain * WARM_SHARE, cold: meanGain * COLD_SHARE, random });
  return sequence(model, state.assignment, options.minGain);
}
