import type { SearchState } from "./state.js";

/**
 * Two nodes during an exchange, on scratch rows: a workload has gone from `from` to `to`, others follow one by one. The state
 * itself is only read. Terms are those of SearchState; levels are left out.
 */
export class PairRows {
  readonly slackTo: Float64Array;
  readonly excessTo: Float64Array;
  private readonly slackFrom: Float64Array;
  private readonly excessFrom: Float64Array;
  /** Resources, transient ones first: only visitors can make room there, so their lack decides soonest. */
  private readonly order: Int32Array;

  constructor(private readonly state: SearchState) {
    const { resources, transient } = state.model;
    this.slackFrom = new Float64Array(resources);
    this.slackTo = new Float64Array(resources);
    this.excessFrom = new Float64Array(state.terms);
    this.excessTo = new Float64Array(state.terms);
    this.order = Int32Array.from({ length: resources }, (_, r) => r).sort((a, b) => transient[b]! - transient[a]!);
  }

  /** The rows as they are once the workload has gone over, whether it fits or not. */
  begin(workload: number, from: number, to: number): void {
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

  /** Whether `from`, as it is now, has room for the workload. */
  fromAccepts(workload: number, from: number): boolean {
    const { resources, requirement, transient, start } = this.state.model;
    const home = start[workload] === from;
    for (let r = 0, w = workload * resources; r < resources; r++, w++) {
      const needed = requirement[w]!;
      if (needed > this.slackFrom[r]! && needed > 0 && !(home && transient[r] === 1)) return false;
    }
    return true;
  }

  /** The workload leaves `to` for `target`, which may be `from` or a third node. */
  leave(workload: number, to: number, target: number, from: number): void {
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

  /** A resource of which `to` holds too much, or -1. */
  fullResource(): number {
    const { order, slackTo } = this;
    for (let i = 0; i < order.length; i++) if (slackTo[order[i]!]! < 0) return order[i]!;
    return -1;
  }

  /** The term that costs most on `to`, or -1. */
  costliestTerm(): number {
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

  /** What the two nodes would cost if `leaver` (-1 = none) went along, levels left out. */
  cost(leaver = -1): number {
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
  leastCost(): number {
    let cost = 0;
    for (let k = 0; k < this.excessTo.length; k++) {
      const both = this.excessTo[k]! + this.excessFrom[k]!;
      if (both > 0) cost += both;
    }
    return cost;
  }
}
