import type { SearchState } from "./state.js";

/**
 * Two nodes, called sides 0 and 1, while what they hold is divided anew: on scratch rows, the state itself is only read. Terms are those of
 * SearchState; levels are left out.
 */
export class TwoNodes {
  /** Both sides' rows, one after the other. Negative slack is lack. */
  readonly slack: Float64Array;
  readonly excess: Float64Array;
  readonly nodes = new Int32Array(2);
  private readonly resources: number;
  private readonly terms: number;
  /** Cost of a unit of a resource that is lacking: makes lacks of several resources, and costs, comparable while room is made. */
  private readonly lackWeight: Float64Array;

  constructor(private readonly state: SearchState) {
    this.resources = state.model.resources;
    this.terms = state.terms;
    this.slack = new Float64Array(2 * this.resources);
    this.excess = new Float64Array(2 * this.terms);
    this.lackWeight = weighLack(state);
  }

  begin(first: number, second: number): void {
    const { resources, terms, state } = this;
    this.nodes[0] = first;
    this.nodes[1] = second;
    for (let side = 0; side < 2; side++) {
      const node = this.nodes[side]!;
      for (let r = 0; r < resources; r++) this.slack[side * resources + r] = state.slack[node * resources + r]!;
      for (let k = 0; k < terms; k++) this.excess[side * terms + k] = state.excess[node * terms + k]!;
    }
  }

  /** The workload goes over from a side to the other. */
  cross(workload: number, side: number): void {
    this.leave(workload, side);
    const { slack, excess, resources, terms, state } = this;
    const { requirement, transient, start } = state.model;
    const other = 1 - side;
    const comesHome = start[workload] === this.nodes[other];
    for (let r = 0, w = workload * resources, i = other * resources; r < resources; r++, w++, i++) {
      if (!comesHome || transient[r] === 0) slack[i] = slack[i]! - requirement[w]!;
    }
    for (let k = 0, w = workload * terms, i = other * terms; k < terms; k++, w++, i++) excess[i] = excess[i]! + state.demand[w]!;
  }

  /** The workload leaves both. */
  leave(workload: number, side: number): void {
    const { slack, excess, resources, terms, state } = this;
    const { requirement, transient, start } = state.model;
    const leavesHome = start[workload] === this.nodes[side];
    for (let r = 0, w = workload * resources, i = side * resources; r < resources; r++, w++, i++) {
      if (!leavesHome || transient[r] === 0) slack[i] = slack[i]! + requirement[w]!;
    }
    for (let k = 0, w = workload * terms, i = side * terms; k < terms; k++, w++, i++) excess[i] = excess[i]! - state.demand[w]!;
  }

  lack(): number {
    const { slack, lackWeight } = this;
    let lack = 0;
    for (let i = 0; i < slack.length; i++) if (slack[i]! < 0) lack -= lackWeight[i]! * slack[i]!;
    return lack;
  }

  /** The lack once the workload has gone over; or, with `away`, left both. */
  lackAfter(workload: number, side: number, away = false): number {
    const { slack, lackWeight, nodes, resources } = this;
    const { requirement, transient, start } = this.state.model;
    const leavesHome = start[workload] === nodes[side];
    const spares = away || start[workload] === nodes[1 - side];
    let lack = 0;
    for (let r = 0, w = workload * resources, i = side * resources, o = (1 - side) * resources; r < resources; r++, w++, i++, o++) {
      const held = transient[r] === 1;
      const left = held && leavesHome ? slack[i]! : slack[i]! + requirement[w]!;
      const right = away || (held && spares) ? slack[o]! : slack[o]! - requirement[w]!;
      if (left < 0) lack -= lackWeight[r]! * left;
      if (right < 0) lack -= lackWeight[r]! * right;
    }
    return lack;
  }

  cost(): number {
    const { excess } = this;
    let cost = 0;
    for (let i = 0; i < excess.length; i++) if (excess[i]! > 0) cost += excess[i]!;
    return cost;
  }

  costAfter(workload: number, side: number): number {
    const { excess, terms } = this;
    const { demand } = this.state;
    let cost = 0;
    for (let w = workload * terms, end = w + terms, i = side * terms, o = (1 - side) * terms; w < end; w++, i++, o++) {
      const left = excess[i]! - demand[w]!;
      const right = excess[o]! + demand[w]!;
      if (left > 0) cost += left;
      if (right > 0) cost += right;
    }
    return cost;
  }

  /** What both cost at least, however what they hold is divided. */
  leastCost(): number {
    const { excess, terms } = this;
    let cost = 0;
    for (let k = 0; k < terms; k++) {
      const both = excess[k]! + excess[terms + k]!;
      if (both > 0) cost += both;
    }
    return cost;
  }

  /** Place in `slack` of what is lacking most, or -1. */
  worstLack(): number {
    const { slack, lackWeight } = this;
    let worst = -1;
    let most = 0;
    for (let i = 0; i < slack.length; i++) {
      const lack = -slack[i]! * lackWeight[i]!;
      if (lack <= most) continue;
      most = lack;
      worst = i;
    }
    return worst;
  }

  /** Place in `excess` of the term of which the other side could take up most, or -1. */
  mostTransferable(): number {
    let worst = -1;
    let most = 0;
    for (let i = 0; i < this.excess.length; i++) {
      const amount = this.transferable(i);
      if (amount <= most) continue;
      most = amount;
      worst = i;
    }
    return worst;
  }

  transferable(at: number): number {
    const { excess, terms } = this;
    return Math.min(excess[at]!, -excess[at < terms ? at + terms : at - terms]!);
  }
}

const LACK_SHARE = 3;

/** Twice per resource, for both sides: all requirements of a resource weigh the same, and more than what they cost. */
function weighLack({ model, demand }: SearchState): Float64Array {
  const { resources, requirement } = model;
  const total = new Float64Array(resources);
  for (let i = 0; i < requirement.length; i++) total[i % resources] = total[i % resources]! + requirement[i]!;
  let cost = 0;
  for (const d of demand) if (d > 0) cost += d;
  return Float64Array.from({ length: 2 * resources }, (_, i) => (LACK_SHARE * (cost || 1)) / resources / (total[i % resources]! || 1));
}
