import { Destinations } from "./destinations.js";
import { Ejection, MOST_EJECTED } from "./ejection.js";
import { Exchange } from "./exchange.js";
import type { Random } from "./random.js";
import type { SearchState } from "./state.js";
import { WorkloadDraws } from "./workload-draws.js";

/** How often each kind of move is proposed that is no exchange; ejection is the rest. */
interface Shares {
  readonly shift: number;
  readonly goHome: number;
  readonly swap: number;
  readonly swapHome: number;
  readonly replace: number;
}
const WITH_TRANSIENT: Shares = { shift: 0.175, goHome: 0.175, swap: 0.175, swapHome: 0.175, replace: 0.175 };
/** Nothing is held at home then: what is left of going home is the cost of moves it saves. */
const WITHOUT_TRANSIENT: Shares = { shift: 0.38, goHome: 0.05, swap: 0.12, swapHome: 0.03, replace: 0.02 };
/** Share of exchanges on nodes with up to so many workloads. With more, a single one decides less and looking through them takes longer: the share falls by the square. */
const EXCHANGE_SHARE = 0.1;
const EXCHANGE_UP_TO_PER_NODE = 20;
/** Few leave in most ejections; this share may empty half a node for a workload that costs much where it is. */
const DEEP_SHARE = 0.05;
const FEW_EJECTED = 6;
/** Of ejections, with transient resources: a visitor goes home, and others make room for it there. */
const HOME_SHARE = 0.25;
/** How the draw leans to big workloads: see `WorkloadDraws.big`. */
const EJECTION_POWER = 2;
const EXCHANGE_POWER = 3;
const EXCHANGE_DRAWS = 8;

/**
 * Proposes random moves, and makes those whose change in cost does not exceed what the temperature allows.
 * With transient resources, going home is proposed far more often than chance would: a visitor blocks transient capacity for
 * good, and of all nodes only its start node takes it back for free; without that pull the fleet jams.
 */
export class Proposals {
  /** By how much accepted moves raised the cost, in all. */
  uphillCost = 0;
  /** Called after each accepted move with the workloads that moved. */
  onMoved: (workload: number) => void = () => {};
  onAccepted: () => void = () => {};
  private readonly shares: Shares;
  private readonly homeShare: number;
  private readonly exchangeShare: number;
  private readonly ejection: Ejection;
  private readonly exchange: Exchange;
  private readonly destinations: Destinations;
  private readonly draws: WorkloadDraws;

  constructor(
    private readonly state: SearchState,
    private readonly random: Random,
  ) {
    const transient = state.model.transient.includes(1);
    this.shares = transient ? WITH_TRANSIENT : WITHOUT_TRANSIENT;
    this.homeShare = transient ? HOME_SHARE : 0;
    this.exchangeShare = EXCHANGE_SHARE * Math.min(1, (EXCHANGE_UP_TO_PER_NODE * state.model.nodes) / state.model.workloads) ** 2;
    this.destinations = new Destinations(state, random);
    this.ejection = new Ejection(state, random, this.destinations);
    this.exchange = new Exchange(state, random, this.destinations);
    this.draws = new WorkloadDraws(state, random);
  }

  /** Tries `count` random moves at one temperature. */
  run(count: number, temperature: number): void {
    const { random } = this;
    const { shift, goHome, swap, swapHome, replace } = this.shares;
    const home = shift + goHome;
    const swapped = home + swap;
    const swappedHome = swapped + swapHome;
    const replaced = swappedHome + replace;
    for (let i = 0; i < count; i++) {
      const threshold = temperature === 0 ? 0 : -temperature * Math.log(random.ratio() + 1e-12);
      if (random.ratio() < this.exchangeShare) {
        this.proposeExchange(threshold);
        continue;
      }
      const kind = random.ratio();
      if (kind < shift) this.proposeShift(threshold);
      else if (kind < home) this.proposeGoingHome(threshold);
      else if (kind < swapped) this.proposeSwap(threshold);
      else if (kind < swappedHome) this.proposeSwapHome(threshold);
      else if (kind < replaced) this.proposeReplacing(threshold);
      else this.proposeEjection(threshold);
    }
  }

  private proposeShift(threshold: number): void {
    const { state, random } = this;
    this.tryShift(random.below(state.model.workloads), random.below(state.model.nodes), threshold);
  }

  private proposeGoingHome(threshold: number): void {
    const away = this.state.members.away;
    if (away.length === 0) return;
    const workload = away[this.random.below(away.length)]!;
    this.tryShift(workload, this.state.model.start[workload]!, threshold);
  }

  private proposeSwap(threshold: number): void {
    const { workloads } = this.state.model;
    this.trySwap(this.random.below(workloads), this.random.below(workloads), threshold);
  }

  /** A visitor goes home and one from there takes its place. */
  private proposeSwapHome(threshold: number): void {
    const { members, model } = this.state;
    if (members.away.length === 0) return;
    const visitor = members.away[this.random.below(members.away.length)]!;
    const atHome = members.onNode[model.start[visitor]!]!;
    if (atHome.length > 0) this.trySwap(visitor, atHome[this.random.below(atHome.length)]!, threshold);
  }

  private tryShift(workload: number, to: number, threshold: number): void {
    const { state } = this;
    const { nodeCost, moves, rules } = state;
    const from = state.assignment[workload]!;
    if (to === from || !state.fits(workload, to)) return;
    const fixed = moves.shiftDelta(workload, from, to);
    const others = state.costWithout(workload, from) - nodeCost[from]! - nodeCost[to]! + fixed;
    if (others + state.costWith(workload, to, threshold - others) > threshold) return;
    if (!moves.allows(workload, to) || !rules.mayMove(workload, from, to)) return;
    const before = state.cost;
    state.shift(workload, to);
    this.onMoved(workload);
    this.accept(before);
  }

  private trySwap(first: number, second: number, threshold: number): void {
    const { state } = this;
    const { assignment, nodeCost } = state;
    const a = assignment[first]!;
    const b = assignment[second]!;
    if (a === b || !state.fitsInstead(first, second) || !state.fitsInstead(second, first)) return;
    const others = state.moves.swapDelta(first, a, second, b) - nodeCost[a]! - nodeCost[b]! + state.costInstead(second, first, Infinity);
    if (others > threshold || others + state.costInstead(first, second, threshold - others) > threshold) return;
    if (!state.rulesAllowSwap(first, a, second, b)) return;
    const before = state.cost;
    state.swap(first, second);
    this.onMoved(first);
    this.onMoved(second);
    this.accept(before);
  }

  /** A visitor goes home and a workload from a third node takes its place. */
  private proposeReplacing(threshold: number): void {
    const { state, random } = this;
    const { assignment, nodeCost, moves, rules, members, model } = state;
    if (members.away.length === 0) return;
    const visitor = members.away[random.below(members.away.length)]!;
    const workload = random.below(model.workloads);
    const from = assignment[workload]!;
    const to = assignment[visitor]!;
    const home = model.start[visitor]!;
    if (from === to || from === home || !state.fitsInstead(workload, visitor) || !state.fits(visitor, home)) return;
    const saved = nodeCost[from]! + nodeCost[to]! + nodeCost[home]!;
    const fixed = moves.shiftDelta(visitor, to, home) + moves.shiftDelta(workload, from, to);
    const others = fixed - saved + state.costWithout(workload, from) + state.costWith(visitor, home, Infinity);
    if (others > threshold || others + state.costInstead(workload, visitor, threshold - others) > threshold) return;
    if (!rules.mayMove(visitor, to, home)) return;
    const before = state.cost;
    state.shift(visitor, home);
    if (!moves.allows(workload, to) || !rules.mayMove(workload, from, to)) {
      state.shift(visitor, to);
      return;
    }
    state.shift(workload, to);
    this.onMoved(visitor);
    this.onMoved(workload);
    this.accept(before);
  }

  private proposeEjection(threshold: number): void {
    const { random, ejection, draws } = this;
    const kind = random.ratio();
    const deep = kind < DEEP_SHARE;
    const goesHome = kind >= 1 - this.homeShare;
    const workload = deep ? draws.costly() : goesHome ? draws.visitor() : draws.big(EJECTION_POWER);
    if (workload < 0) return;
    const to = goesHome ? this.state.model.start[workload]! : this.destinations.draw(workload);
    if (to < 0) return;
    const before = this.state.cost;
    const moved = ejection.propose(workload, to, threshold, deep ? MOST_EJECTED : FEW_EJECTED);
    if (moved === 0) return;
    for (let i = 0; i < moved; i++) this.onMoved(ejection.movedWorkload(i));
    this.accept(before);
  }

  private proposeExchange(threshold: number): void {
    const { draws, destinations, exchange } = this;
    let workload = -1;
    let to = -1;
    // Many of the biggest fit nowhere else.
    for (let draw = 0; draw < EXCHANGE_DRAWS && to < 0; draw++) {
      workload = draws.big(EXCHANGE_POWER);
      to = destinations.draw(workload);
    }
    if (to < 0) return;
    const before = this.state.cost;
    const moved = exchange.propose(workload, to, threshold);
    if (moved === 0) return;
    for (let i = 0; i < moved; i++) this.onMoved(exchange.movedWorkload(i));
    this.accept(before);
  }

  private accept(costBefore: number): void {
    const rise = this.state.cost - costBefore;
    if (rise > 0) this.uphillCost += rise;
    this.onAccepted();
  }
}
