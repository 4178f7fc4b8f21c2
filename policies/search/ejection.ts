import type { Random } from "./random.js";
import type { SearchState } from "./state.js";

/** The most workloads that can be asked to make room for one. */
export const MOST_EJECTED = 48;
/** Leavers looked at to choose one. */
const LEAVER_DRAWS = 6;
/** Workloads tried for following to the node left. */
const SETTLING_TRIES = 30;
/** Leavers tried for each that may leave. */
const TRIES_PER_LEAVER = 2.5;

/**
 * Room for a big workload: it enters a node that is too full for it, and random workloads there leave (to the node it came
 * from, to their start node, or anywhere) until it fits. Tried on two scratch rows first; the state is touched only to accept.
 */
export class Ejection {
  private readonly slackFrom: Float64Array;
  private readonly slackTo: Float64Array;
  private readonly excessFrom: Float64Array;
  private readonly excessTo: Float64Array;
  private readonly ejected = new Int32Array(MOST_EJECTED + 1);
  private readonly goesTo = new Int32Array(MOST_EJECTED + 1);

  /** Resources, transient ones first: only visitors can make room there, so their lack decides soonest. */
  private readonly order: Int32Array;
  /** nodes × resources: the most that can ever be free, as natives hold transient resources wherever they are. */
  private readonly reach: Float64Array;

  constructor(
    private readonly state: SearchState,
    private readonly random: Random,
  ) {
    this.slackFrom = new Float64Array(state.model.resources);
    this.slackTo = new Float64Array(state.model.resources);
    this.excessFrom = new Float64Array(state.terms);
    this.excessTo = new Float64Array(state.terms);
    const { resources, transient, capacity, requirement, start } = state.model;
    this.order = Int32Array.from({ length: resources }, (_, r) => r).sort((a, b) => transient[b]! - transient[a]!);
    this.reach = Float64Array.from(capacity);
    start.forEach((home, w) => {
      for (let r = 0; r < resources; r++) {
        if (transient[r]) this.reach[home * resources + r] = this.reach[home * resources + r]! - requirement[w * resources + r]!;
      }
    });
  }

  /** Makes the move with at most `most` (<= MOST_EJECTED) others leaving, and returns the number of workloads moved (see `movedWorkload`), or returns 0 and changes nothing. */
  propose(workload: number, to: number, threshold: number, most: number): number {
    const { state } = this;
    const from = state.assignment[workload]!;
    if (from === to || !state.moves.allows(workload, to) || !this.canReach(workload, to) || !state.rules.mayMove(workload, from, to))
      return 0;
    this.begin(workload, from, to);
    const needed = this.makeRoom(workload, from, to, most);
    if (needed < 0) return 0;
    if (this.estimate(workload, from, to, needed, this.leastPairCost()) > threshold) return 0;
    const count = this.settle(workload, from, to, needed);
    if (this.estimate(workload, from, to, count, this.pairCost(-1)) > threshold) return 0;
    return this.commit(workload, from, to, count, threshold);
  }

  movedWorkload(index: number): number {
    return this.ejected[index]!;
  }

  canReach(workload: number, to: number): boolean {
    const { resources, requirement, transient, start } = this.state.model;
    const home = start[workload] === to;
    for (let r = 0, w = workload * resources, t = to * resources; r < resources; r++, w++, t++) {
      if (requirement[w]! > this.reach[t]! && !(home && transient[r] === 1)) return false;
    }
    return true;
  }

  private begin(workload: number, from: number, to: number): void {
    const { slack, excess, demand, terms, model } = this.state;
    const { resources, requirement, transient, start } = model;
    const home = start[workload]!;
    const held = home === from || home === to;
    for (let r = 0, f = from * resources, t = to * resources, w = workload * resources; r < resources; r++, f++, t++, w++) {
      const needed = requirement[w]!;
      this.slackFrom[r] = held && home === from && transient[r] === 1 ? slack[f]! : slack[f]! + needed;
      this.slackTo[r] = held && home === to && transient[r] === 1 ? slack[t]! : slack[t]! - needed;
    }
    for (let k = 0, f = from * terms, t = to * terms, w = workload * terms; k < terms; k++, f++, t++, w++) {
      this.excessFrom[k] = excess[f]! - demand[w]!;
      this.excessTo[k] = excess[t]! + demand[w]!;
    }
  }

  private makeRoom(workload: number, from: number, to: number, most: number): number {
    const { state, random, slackTo } = this;
    const { resources, requirement, transient, start, nodes } = state.model;
    const { onNode, visitors } = state.members;
    let count = 0;
    let full = this.fullResource();
    for (let tries = 0; full >= 0; tries++) {
      const list = transient[full] === 1 ? visitors[to]! : onNode[to]!;
      if (tries >= TRIES_PER_LEAVER * most || count >= most || list.length <= count) return -1;
      const leaver = this.drawLeaver(list, full);
      if (requirement[leaver * resources + full] === 0 || leaver === workload) continue;
      if (this.isEjected(leaver, count)) continue;
      const choice = random.ratio();
      const target = choice < 0.4 ? from : choice < 0.7 ? start[leaver]! : random.below(nodes);
      if (target === to || !this.accepts(leaver, target, from, count)) continue;
      if (!state.moves.allows(leaver, target) || !state.rules.mayMove(leaver, to, target)) continue;
      this.ejected[count] = leaver;
      this.goesTo[count++] = target;
      this.leave(leaver, to, target, from);
      if (slackTo[full]! >= 0) full = this.fullResource();
    }
    return count;
  }

  /** One of a few random ones: that which frees most of what is lacking, so that a big one need not wait for many small ones to go. */
  private drawLeaver(list: readonly number[], full: number): number {
    const { resources, requirement } = this.state.model;
    const lacking = -this.slackTo[full]!;
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
    let current = this.pairCost(-1);
    let settled = count;
    for (let tries = 0; tries < SETTLING_TRIES && settled < MOST_EJECTED; tries++) {
      const term = this.costliestTerm();
      if (term < 0) break;
      const leaver = this.drawWeight(list, term);
      if (leaver < 0 || leaver === workload || this.isEjected(leaver, settled)) continue;
      const cost = this.pairCost(leaver);
      if (cost >= current || !this.accepts(leaver, from, from, settled)) continue;
      if (!moves.allows(leaver, from) || !rules.mayMove(leaver, to, from)) continue;
      this.ejected[settled] = leaver;
      this.goesTo[settled++] = from;
      this.leave(leaver, to, from, from);
      current = cost;
    }
    return settled;
  }

  private costliestTerm(): number {
    let term = -1;
    let most = 0;
    for (let k = 0; k < this.excessTo.length; k++) {
      if (this.excessTo[k]! > most) {
        most = this.excessTo[k]!;
        term = k;
      }
    }
    return term;
  }

  /** One of a few random ones: the heaviest in a term that does not weigh more than the excess. */
  private drawWeight(list: readonly number[], term: number): number {
    const { demand, terms } = this.state;
    const excess = this.excessTo[term]!;
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

  /** What the two nodes would cost if `leaver` (-1 = none) went along, levels left out. */
  private pairCost(leaver: number): number {
    const { demand, terms } = this.state;
    let cost = 0;
    for (let k = 0, d = leaver * terms; k < terms; k++, d++) {
      const weight = leaver < 0 ? 0 : demand[d]!;
      const onTo = this.excessTo[k]! - weight;
      const onFrom = this.excessFrom[k]! + weight;
      if (onTo > 0) cost += onTo;
      if (onFrom > 0) cost += onFrom;
    }
    return cost;
  }

  /** What the two nodes cost at least, however what they hold is divided between them. */
  private leastPairCost(): number {
    let cost = 0;
    for (let k = 0; k < this.excessTo.length; k++) {
      const both = this.excessTo[k]! + this.excessFrom[k]!;
      if (both > 0) cost += both;
    }
    return cost;
  }

  private isEjected(workload: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (this.ejected[i] === workload) return true;
    return false;
  }

  private accepts(workload: number, target: number, from: number, count: number): boolean {
    if (target !== from) {
      for (let i = 0; i < count; i++) if (this.goesTo[i] === target) return false;
      return this.state.fits(workload, target);
    }
    const { resources, requirement, transient, start } = this.state.model;
    const home = start[workload] === from;
    for (let r = 0, w = workload * resources; r < resources; r++, w++) {
      const needed = requirement[w]!;
      if (needed > this.slackFrom[r]! && needed > 0 && !(home && transient[r] === 1)) return false;
    }
    return true;
  }

  private leave(workload: number, to: number, target: number, from: number): void {
    const { demand, terms, model } = this.state;
    const { resources, requirement, transient, start } = model;
    const home = start[workload]!;
    for (let r = 0, w = workload * resources; r < resources; r++, w++) {
      if (home !== to || transient[r] === 0) this.slackTo[r] = this.slackTo[r]! + requirement[w]!;
      if (target === from && (home !== from || transient[r] === 0)) this.slackFrom[r] = this.slackFrom[r]! - requirement[w]!;
    }
    for (let k = 0, w = workload * terms; k < terms; k++, w++) {
      this.excessTo[k] = this.excessTo[k]! - demand[w]!;
      if (target === from) this.excessFrom[k] = this.excessFrom[k]! + demand[w]!;
    }
  }

  private fullResource(): number {
    const { order, slackTo } = this;
    for (let i = 0; i < order.length; i++) if (slackTo[order[i]!]! < 0) return order[i]!;
    return -1;
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

  private commit(workload: number, from: number, to: number, count: number, threshold: number): number {
    const { state } = this;
    const before = state.cost;
    state.shift(workload, to);
    let done = 0;
    while (done < count && this.mayLeave(done, to)) {
      state.shift(this.ejected[done]!, this.goesTo[done]!);
      done++;
    }
    if (done < count || state.cost - before > threshold) {
      while (done > 0) state.shift(this.ejected[--done]!, to);
      state.shift(workload, from);
      return 0;
    }
    this.ejected[count] = workload;
    return count + 1;
  }

  private mayLeave(index: number, to: number): boolean {
    const leaver = this.ejected[index]!;
    const target = this.goesTo[index]!;
    return this.state.moves.allows(leaver, target) && this.state.rules.mayMove(leaver, to, target);
  }
}
