import type { Random } from "../search/random.js";
import type { SearchState } from "../search/state.js";

export interface TradeOptions {
  readonly maxMoves: number;
  readonly proposals: number;
  /** Cost differences that are still accepted now and then at the beginning, and at the end. */
  readonly warm: number;
  readonly cold: number;
  readonly random: Random;
}

interface Shift {
  readonly workload: number;
  readonly from: number;
}

const RETARGET_SHARE = 0.4;
const REPLACE_SHARE = 0.3;
const ROUNDING = 1e-9;

/**
 * Trades moves for better ones within the same budget: another destination, another workload, two that exchange places.
 * Simulated annealing; leaves `state` at the best that it saw.
 */
export function tradeMoves(state: SearchState, options: TradeOptions): void {
  const { random, proposals, maxMoves } = options;
  const cooling = (options.cold / options.warm) ** (1 / Math.max(1, proposals));
  const journal: Shift[] = [];
  let temperature = options.warm;
  let bestCost = state.cost;
  for (let i = 0; i < proposals; i++, temperature *= cooling) {
    const bound = -temperature * Math.log(random.ratio() + 1e-12);
    const kind = random.ratio();
    const shifts =
      kind < RETARGET_SHARE
        ? retarget(state, random, bound, maxMoves)
        : kind < RETARGET_SHARE + REPLACE_SHARE
          ? replace(state, random, bound)
          : exchange(state, random, bound, maxMoves);
    if (shifts === null) continue;
    for (const shift of shifts) journal.push(shift);
    if (state.cost >= bestCost - ROUNDING) continue;
    bestCost = state.cost;
    journal.length = 0;
  }
  for (let shift = journal.pop(); shift !== undefined; shift = journal.pop()) state.shift(shift.workload, shift.from);
}

function retarget(state: SearchState, random: Random, bound: number, maxMoves: number): readonly Shift[] | null {
  const { away } = state.members;
  const w =
    state.moves.moved < maxMoves || away.length === 0 ? random.below(state.model.workloads) : (away[random.below(away.length)] as number);
  const to = random.below(state.model.nodes);
  if (!state.mayShift(w, to) || state.shiftDelta(w, to) > bound) return null;
  const from = state.assignment[w] as number;
  state.shift(w, to);
  return [{ workload: w, from }];
}

/** One goes home, another one goes instead: to the same place, or to any. */
function replace(state: SearchState, random: Random, bound: number): readonly Shift[] | null {
  const { members, assignment, model } = state;
  if (members.away.length === 0) return null;
  const back = members.away[random.below(members.away.length)] as number;
  const home = model.start[back] as number;
  const place = assignment[back] as number;
  const neighbours = members.onNode[home] as number[];
  const near = random.ratio();
  const w = near < 0.5 && neighbours.length > 0 ? (neighbours[random.below(neighbours.length)] as number) : random.below(model.workloads);
  const to = near < 0.8 ? place : random.below(model.nodes);
  if (w === back || !state.mayShift(back, home)) return null;
  let delta = state.shift(back, home);
  if (state.mayShift(w, to)) {
    delta += state.shiftDelta(w, to);
    if (delta <= bound) {
      const from = assignment[w] as number;
      state.shift(w, to);
      return [
        { workload: back, from: place },
        { workload: w, from },
      ];
    }
  }
  state.shift(back, place);
  return null;
}

function exchange(state: SearchState, random: Random, bound: number, maxMoves: number): readonly Shift[] | null {
  const { members, model } = state;
  if (members.away.length === 0) return null;
  const a = members.away[random.below(members.away.length)] as number;
  const b = state.moves.moved < maxMoves ? random.below(model.workloads) : (members.away[random.below(members.away.length)] as number);
  if (a === b || !state.maySwap(a, b) || state.swapDelta(a, b) > bound) return null;
  const shifts = [a, b].map((workload) => ({ workload, from: state.assignment[workload] as number }));
  state.swap(a, b);
  return shifts;
}
