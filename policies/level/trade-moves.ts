import { BestSoFar } from "../search/best-so-far.js";
import type { Random } from "../search/random.js";
import type { SearchState } from "../search/state.js";

/** At the beginning and at the end: a rise of that much is taken once in e times. */
export interface Temperatures {
  readonly warm: number;
  readonly cold: number;
}

export interface TradeOptions extends Temperatures {
  readonly maxMoves: number;
  readonly proposals: number;
  readonly random: Random;
}

const RETARGET_SHARE = 0.4;
const REPLACE_SHARE = 0.3;
/** Of replacements: the other one is a neighbour at home; it goes where the first was. */
const NEIGHBOUR_SHARE = 0.5;
const SAME_PLACE_SHARE = 0.8;
const ROUNDING = 1e-9;

/**
 * Trades moves for better ones within the same budget: another destination, another workload, two that exchange places.
 * Simulated annealing; leaves `state` at the best that it saw.
 */
export function tradeMoves(state: SearchState, options: TradeOptions): void {
  const { random, proposals } = options;
  const trader = new Trader(state, random, options.maxMoves);
  const cooling = (options.cold / options.warm) ** (1 / Math.max(1, proposals));
  trader.temperature = options.warm;
  for (let i = 0; i < proposals; i++) {
    const kind = random.ratio();
    if (kind < RETARGET_SHARE) trader.retarget();
    else if (kind < RETARGET_SHARE + REPLACE_SHARE) trader.replace();
    else trader.exchange();
    trader.temperature *= cooling;
  }
  trader.returnToBest();
}

class Trader {
  temperature = 0;
  private readonly best: BestSoFar;

  constructor(
    private readonly state: SearchState,
    private readonly random: Random,
    private readonly maxMoves: number,
  ) {
    this.best = new BestSoFar(state.assignment, state.cost);
  }

  /** Another destination; while the budget lasts, also for one that has not moved. */
  retarget(): void {
    const { state, random } = this;
    const workload = this.spends() ? random.below(state.model.workloads) : this.drawMoved();
    if (workload < 0) return;
    const to = random.below(state.model.nodes);
    if (to === state.assignment[workload] || !state.fits(workload, to)) return;
    if (!this.accepts(state.shiftDelta(workload, to)) || !state.mayShift(workload, to)) return;
    this.shift(workload, to);
    this.noteBest();
  }

  /** One goes home, another one goes instead: to the same place, or to any. */
  replace(): void {
    const { state, random } = this;
    const back = this.drawMoved();
    if (back < 0) return;
    const home = state.model.start[back] as number;
    const place = state.assignment[back] as number;
    const neighbours = state.members.onNode[home] as number[];
    const isNear = neighbours.length > 0 && random.ratio() < NEIGHBOUR_SHARE;
    const other = isNear ? (neighbours[random.below(neighbours.length)] as number) : random.below(state.model.workloads);
    const to = random.ratio() < SAME_PLACE_SHARE ? place : random.below(state.model.nodes);
    const from = state.assignment[other] as number;
    if (other === back || from === to) return;
    if (from === home && to === place) this.exchangeThese(back, other);
    else this.replaceBy(back, other, to);
  }

  private replaceBy(back: number, other: number, to: number): void {
    const { state } = this;
    const home = state.model.start[back] as number;
    const place = state.assignment[back] as number;
    const from = state.assignment[other] as number;
    // Nodes that play two parts are rare, and left to the other kinds of proposal.
    if (from === place || from === home || to === home || !this.accepts(this.replaceDelta(back, home, other, to))) return;
    if (!state.mayShift(back, home)) return;
    state.shift(back, home);
    if (state.mayShift(other, to)) {
      this.best.note(back);
      this.shift(other, to);
      this.noteBest();
    } else state.shift(back, place);
  }

  private replaceDelta(back: number, home: number, other: number, to: number): number {
    const { state } = this;
    const { nodeCost, moves } = state;
    const place = state.assignment[back] as number;
    const from = state.assignment[other] as number;
    const fixed = moves.shiftDelta(back, place, home) + moves.shiftDelta(other, from, to);
    const left =
      state.costWithout(other, from) - (nodeCost[from] as number) + state.costWith(back, home, Infinity) - (nodeCost[home] as number);
    if (to === place) return fixed + left + state.costInstead(other, back, Infinity) - (nodeCost[place] as number);
    const moved =
      state.costWithout(back, place) - (nodeCost[place] as number) + state.costWith(other, to, Infinity) - (nodeCost[to] as number);
    return fixed + left + moved;
  }

  /** Two exchange places, one of them moved already. */
  exchange(): void {
    const first = this.drawMoved();
    if (first < 0) return;
    const second = this.spends() ? this.random.below(this.state.model.workloads) : this.drawMoved();
    if (first !== second) this.exchangeThese(first, second);
  }

  returnToBest(): void {
    const { state, best } = this;
    if (state.cost <= best.cost + ROUNDING) return;
    for (let w = 0; w < best.assignment.length; w++) {
      if (state.assignment[w] !== best.assignment[w]) state.shift(w, best.assignment[w] as number);
    }
  }

  private exchangeThese(first: number, second: number): void {
    const { state } = this;
    const a = state.assignment[first] as number;
    const b = state.assignment[second] as number;
    if (a === b || !this.accepts(state.swapDelta(first, second)) || !state.maySwap(first, second)) return;
    this.shift(first, b);
    this.shift(second, a);
    this.noteBest();
  }

  private shift(workload: number, to: number): void {
    this.best.note(workload);
    this.state.shift(workload, to);
  }

  private noteBest(): void {
    if (this.state.cost < this.best.cost - ROUNDING) this.best.take(this.state.cost);
  }

  private accepts(delta: number): boolean {
    return delta <= 0 || this.random.ratio() < Math.exp(-delta / this.temperature);
  }

  private spends(): boolean {
    return this.state.moves.moved < this.maxMoves;
  }

  /** A workload that is away from home, or -1. */
  private drawMoved(): number {
    const { away } = this.state.members;
    return away.length === 0 ? -1 : (away[this.random.below(away.length)] as number);
  }
}
