import type { SearchModel } from "../search/model.js";
import type { Random } from "../search/random.js";
import { SearchState } from "../search/state.js";
import { descendEvenly } from "./descend-evenly.js";
import type { LevelOptions } from "./level-fleet.js";
import { type LevelMove, sequence } from "./sequence.js";
import { isAnyFuller, type Spread, spreadsOf, widerLevels } from "./spread.js";
import { type Temperatures, tradeMoves } from "./trade-moves.js";

/** The careful greedy plan is made only where looking at every pair for every move takes less than about a tenth of a second. */
const MOST_LOOKS = 4_000_000;
const ROUNDS = 8;
const TEMPERATURES: Temperatures = { warm: 0.02, cold: 0.001 };
/** Of the proposals, in each round. */
const PROPOSALS_SHARE = 0.5;
/** At first the risk of full nodes counts for this much, and twice as much after each round that left one fuller. */
const FIRST_RISK = 0.1;
const RISK_GROWTH = 2;
/** How much more a level counts after a round that left it wider; ever less. */
const WEIGHT_GROWTH = 0.5;
/** A plan in which no resource is worse off may save this much less of the cost, as a share of what the other saves. */
const TOLERANCE = 0.05;

/**
 * With few moves one resource is easily levelled at the expense of another. Where the moves leave any resource less level, or its fullest node
 * fuller, than the careful greedy plan with as many moves, that plan's own moves are traded for better ones with other weights, until no resource
 * is worse off; or it is taken as it is, or the moves given, where the greedy plan saves too little.
 */
export function improveOn(moves: LevelMove[], model: SearchModel, options: LevelOptions, random: Random): LevelMove[] {
  const { maxMoves, minGain, proposals } = options;
  if (model.nodes * model.workloads * maxMoves > MOST_LOOKS || model.levels.length < 2) return moves;
  const greedy = new SearchState({ ...model, softWeight: model.softWeight.map(() => 0) });
  greedy.moves.maxMoves = maxMoves;
  descendEvenly(greedy, options);
  const plain = sequence(model, greedy.assignment, minGain);
  const goal = spreadsOf(stateAfter(plain, model));
  const given = stateAfter(moves, model);
  if (isNoWorse(spreadsOf(given), goal)) return moves;
  const mostCost = given.cost + TOLERANCE * (new SearchState(model).cost - given.cost);
  const weights = goal.map(({ deviation }) => 1 / Math.max(deviation, Number.MIN_VALUE));
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  let shares = weights.map((weight) => weight / mean);
  let risk = FIRST_RISK;
  let best = { moves: plain, cost: stateAfter(plain, model).cost };
  for (let round = 1; round <= ROUNDS; round++) {
    const weighed = weigh(model, shares, risk);
    const state = new SearchState(weighed, greedy.assignment);
    state.moves.maxMoves = maxMoves;
    const meanGain = Math.max(minGain, (new SearchState(weighed).cost - state.cost) / Math.max(1, state.moves.moved));
    const { warm, cold } = TEMPERATURES;
    tradeMoves(state, { maxMoves, proposals: proposals * PROPOSALS_SHARE, warm: meanGain * warm, cold: meanGain * cold, random });
    const traded = sequence(weighed, state.assignment, minGain);
    const after = stateAfter(traded, model);
    const spreads = spreadsOf(after);
    if (isNoWorse(spreads, goal)) {
      if (after.cost < best.cost) best = { moves: traded, cost: after.cost };
      // Perhaps the fullest nodes can be less full as well.
      risk *= RISK_GROWTH ** 2;
      continue;
    }
    const wider = widerLevels(spreads, goal);
    if (wider.length < shares.length)
      shares = shares.map((share, level) => (wider.includes(level) ? share * (1 + WEIGHT_GROWTH / round) : share));
    if (isAnyFuller(spreads, goal)) risk *= RISK_GROWTH;
  }
  return best.cost <= mostCost ? best.moves : moves;
}

function weigh(model: SearchModel, shares: readonly number[], risk: number): SearchModel {
  const levels = model.levels.map((level, index) => ({ ...level, weight: level.weight * shares[index]! }));
  return { ...model, levels, softWeight: model.softWeight.map((weight) => weight * risk) };
}

function stateAfter(moves: readonly LevelMove[], model: SearchModel): SearchState {
  const state = new SearchState(model);
  for (const { workload, to } of moves) state.shift(workload, to);
  return state;
}

function isNoWorse(spreads: readonly Spread[], goal: readonly Spread[]): boolean {
  return widerLevels(spreads, goal).length === 0 && !isAnyFuller(spreads, goal);
}
