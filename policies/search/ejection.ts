import type { Destinations } from "./destinations.js";
import { PairRows } from "./pair-rows.js";
import type { Random } from "./random.js";
import type { SearchState } from "./state.js";
import { TentativeMoves } from "./tentative-moves.js";

/** The most workloads that can be asked to make room for one. */
export const MOST_EJECTED = 48;
/** Leavers looked at to choose one. */
const LEAVER_DRAWS = 6;
/** Workloads tried for following to the node left. Giving up sooner saves a quarter of the time, and costs 3 % of the result where soft capacities are tight. */
const SETTLING_TRIES = 30;
/** Leavers tried for each that may leave. */
const TRIES_PER_LEAVER = 2.5;

/**
 * Room for a big workload: it enters a node that is too full for it, and random workloads there leave (to the node it came
 * from, to their start node, or anywhere) until it fits. Tried on two scratch rows first; the state is touched only to accept.
 */
export class Ejection {
  private readonly rows: PairRows;
  private readonly made: TentativeMoves;
  private readonly ejected = new Int32Array(MOST_EJECTED);
  private readonly goesTo = new Int32Array(MOST_EJECTED);

  constructor(
    private readonly state: SearchState,
    private readonly random: Random,
    private readonly destinations: Destinations,
  ) {
    this.rows = new PairRows(state);
    this.made = new TentativeMoves(state, MOST_EJECTED + 1);
  }

  /**
   * Makes the move, at most `most` (<= MOST_EJECTED) others making room, and returns the number of workloads moved (see
   * `movedWorkload`); or returns 0 and changes nothing.
   */
  propose(workload: number, to: number, threshold: number, most: number): number {
    const { state } = this;
    const from = state.assignment[workload]!;
    if (from === to || !state.moves.allows(workload, to) || !this.destinations.canReach(workload, to)) return 0;
    if (!state.rules.mayMove(workload, from, to)) return 0;
    this.rows.begin(workload, from, to);
    const needed = this.makeRoom(workload, from, to, most);
    if (needed < 0) return 0;
    if (this.estimate(workload, from, to, needed, this.rows.leastCost()) > threshold) return 0;
    const count = this.settle(workload, from, to, needed);
    if (this.estimate(workload, from, to, count, this.rows.cost()) > threshold) return 0;
    return this.commit(workload, to, count, threshold);
  }

  movedWorkload(index: number): number {
    return this.made.workload(index);
  }

  private makeRoom(workload: number, from: number, to: number, most: number): number {
    const { state, random, rows } = this;
    const { resources, requirement, transient, start, nodes } = state.model;
    const { onNode, visitors } = state.members;
    let count = 0;
    let full = this.rows.fullResource();
    for (let tries = 0; full >= 0; tries++) {
      const list = transient[full] === 1 ? visitors[to]! : onNode[to]!;
      if (tries >= TRIES_PER_LEAVER * most || count >= most || list.length <= count) return -1;
      const leaver = this.drawLeaver(list, full);
      if (requirement[leaver * resources + full] === 0 || leaver === workload) continue;
      if (this.isEjected(leaver, count)) continue;
      const choice = random.ratio();
      const target = choice < 0.4 ? from : choice < 0.7 ? start[leaver]! : random.below(nodes);
      if (target === to || !(target === from ? rows.fromAccepts(leaver, from) : this.thirdAccepts(leaver, target, count))) continue;
      if (!state.moves.allows(leaver, target) || !state.rules.mayMove(leaver, to, target)) continue;
      this.ejected[count] = leaver;
      this.goesTo[count++] = target;
      this.rows.leave(leaver, to, target, from);
      if (rows.slackTo[full]! >= 0) full = this.rows.fullResource();
    }
    return count;
  }

  /** One of a few random ones: that which frees most of what is lacking, so that a big one need not wait for many small ones to go. */
  private drawLeaver(list: readonly number[], full: number): number {
    const { resources, requirement } = this.state.model;
    const lacking = -this.rows.slackTo[full]!;
    let leaver = -1;
    let most = -1;
    for (let draw = 0; draw < LEAVER_DRAWS && most < lacking; draw++) {
      const drawn = list[this.random.below(list.length)]!;
      const frees = requirement[drawn * resources + full]!;
      if (frees > most) {
        most = frees;
        leaver = drawn;
      }
    }
    return leaver;
  }

  /**
   * The workload fits, but may weigh more on its new node than what made room did: others follow to the node it left as
   * long as that lowers the cost of the two. So a whole set is exchanged for one, as overfull soft capacities need.
   */
  private settle(workload: number, from: number, to: number, count: number): number {
    const { rules, moves, members } = this.state;
    const list = members.onNode[to]!;
    let current = this.rows.cost();
    let settled = count;
    for (let tries = 0; tries < SETTLING_TRIES && settled < MOST_EJECTED; tries++) {
      const term = this.rows.costliestTerm();
      if (term < 0) break;
      const leaver = this.drawWeight(list, term);
      if (leaver < 0 || leaver === workload || this.isEjected(leaver, settled)) continue;
      const cost = this.rows.cost(leaver);
      if (cost >= current || !this.rows.fromAccepts(leaver, from)) continue;
      if (!moves.allows(leaver, from) || !rules.mayMove(leaver, to, from)) continue;
      this.ejected[settled] = leaver;
      this.goesTo[settled++] = from;
      this.rows.leave(leaver, to, from, from);
      current = cost;
    }
    return settled;
  }

  /** One of a few random ones: the heaviest in a term that does not weigh more than the excess. */
  private drawWeight(list: readonly number[], term: number): number {
    const { demand, terms } = this.state;
    const excess = this.rows.excessTo[term]!;
    let leaver = -1;
    let most = 0;
    for (let draw = 0; draw < LEAVER_DRAWS && list.length > 0; draw++) {
      const drawn = list[this.random.below(list.length)]!;
      const weight = demand[drawn * terms + term]!;
      if (weight > most && weight <= excess) {
        most = weight;
        leaver = drawn;
      }
    }
    return leaver;
  }

  private isEjected(workload: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (this.ejected[i] === workload) return true;
    return false;
  }

  /** A third node takes one at most: its costs are taken from the state as it is. */
  private thirdAccepts(workload: number, target: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (this.goesTo[i] === target) return false;
    return this.state.fits(workload, target);
  }

  private estimate(workload: number, from: number, to: number, count: number, pairCost: number): number {
    const { nodeCost, moves } = this.state;
    let cost = pairCost + moves.costAt(workload, to) - moves.costAt(workload, from) - nodeCost[from]! - nodeCost[to]!;
    for (let i = 0; i < count; i++) {
      const leaver = this.ejected[i]!;
      const target = this.goesTo[i]!;
      cost += moves.costAt(leaver, target) - moves.costAt(leaver, to);
      if (target !== from) cost += this.state.costWith(leaver, target, Infinity) - nodeCost[target]!;
    }
    return cost;
  }

  private commit(workload: number, to: number, count: number, threshold: number): number {
    const { made } = this;
    made.begin();
    made.make(workload, to);
    let allowed = true;
    for (let i = 0; i < count && allowed; i++) allowed = made.makeIfAllowed(this.ejected[i]!, this.goesTo[i]!);
    if (allowed && made.costChange() <= threshold) return made.count;
    made.takeBack();
    return 0;
  }
}
