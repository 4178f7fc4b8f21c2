import { GroupRules } from "./group-rules.js";
import { Membership } from "./membership.js";
import type { SearchModel } from "./model.js";
import { MoveCosts } from "./move-costs.js";

/**
 * An assignment with every sum that its cost and its rules need, kept up to date move by move.
 *
 * A node's cost is a sum over *terms*: one per resource (weighted use above the soft capacity) and one per balance, each counted only where
 * positive. `excess` holds the terms node by node, `demand` what one workload adds to them, so that a cost after a move is one
 * pass of additions. Levels (squares) are a second, usually empty, pass.
 */
export class SearchState {
  readonly model: SearchModel;
  readonly assignment: Int32Array;
  readonly rules: GroupRules;
  readonly moves: MoveCosts;
  readonly members: Membership;
  /** nodes × resources: what can still arrive (transient resources stay held on the start node). */
  readonly slack: Float64Array;
  readonly terms: number;
  readonly excess: Float64Array;
  readonly demand: Float64Array;
  readonly nodeCost: Float64Array;
  /** Total cost, moves included. */
  cost = 0;
  /** nodes × levels: (use / capacity − target) × √weight, and what a unit adds to it. */
  readonly levelGap: Float64Array;
  readonly levelUnit: Float64Array;
  private readonly levels: number;
  private readonly levelResource: Int32Array;
  private readonly requirement: Float64Array;
  private readonly resources: number;
  private readonly transient: Uint8Array;
  private readonly start: Int32Array;

  constructor(model: SearchModel, assignment: Int32Array = model.start) {
    const { nodes, workloads, resources, balances, levels } = model;
    this.model = model;
    this.assignment = assignment.slice();
    this.requirement = model.requirement;
    this.resources = resources;
    this.transient = model.transient;
    this.start = model.start;
    this.rules = new GroupRules(model, this.assignment);
    this.moves = new MoveCosts(model, this.assignment);
    this.members = new Membership(model, this.assignment);
    this.slack = Float64Array.from(model.capacity);
    this.terms = resources + balances.length;
    this.excess = new Float64Array(nodes * this.terms);
    this.demand = new Float64Array(workloads * this.terms);
    this.nodeCost = new Float64Array(nodes);
    this.levels = levels.length;
    this.levelGap = new Float64Array(nodes * levels.length);
    this.levelUnit = new Float64Array(nodes * levels.length);
    this.levelResource = Int32Array.from(levels, (l) => l.resource);
    this.fillTables();
    this.refresh();
  }

  /** Whether the node has room for the workload, which is elsewhere now. */
  fits(workload: number, node: number): boolean {
    const resources = this.resources;
    const atWorkload = workload * resources;
    const atNode = node * resources;
    const requirement = this.requirement;
    const slack = this.slack;
    if (this.start[workload] === node) {
      for (let r = 0; r < resources; r++) {
        const needed = requirement[atWorkload + r]!;
        if (needed > slack[atNode + r]! && needed > 0 && this.transient[r] === 0) return false;
      }
      return true;
    }
    for (let r = 0; r < resources; r++) {
      const needed = requirement[atWorkload + r]!;
      if (needed > slack[atNode + r]! && needed > 0) return false;
    }
    return true;
  }

  /** Whether `incoming` has room on the node of `outgoing` once that has left. */
  fitsInstead(incoming: number, outgoing: number): boolean {
    const resources = this.resources;
    const node = this.assignment[outgoing]!;
    const atIncoming = incoming * resources;
    const atOutgoing = outgoing * resources;
    const atNode = node * resources;
    const requirement = this.requirement;
    const slack = this.slack;
    if (this.start[incoming] === node || this.start[outgoing] === node) {
      const comesHome = this.start[incoming] === node;
      const leavesHome = this.start[outgoing] === node;
      for (let r = 0; r < resources; r++) {
        const held = this.transient[r] === 1;
        const needed = (held && comesHome ? 0 : requirement[atIncoming + r]!) - (held && leavesHome ? 0 : requirement[atOutgoing + r]!);
        if (needed > slack[atNode + r]! && needed > 0) return false;
      }
      return true;
    }
    for (let r = 0; r < resources; r++) {
      const needed = requirement[atIncoming + r]! - requirement[atOutgoing + r]!;
      if (needed > slack[atNode + r]! && needed > 0) return false;
    }
    return true;
  }

  /** The node's cost with one workload less. */
  costWithout(workload: number, node: number): number {
    const terms = this.terms;
    const excess = this.excess;
    const demand = this.demand;
    let i = node * terms;
    let cost = 0;
    for (let d = workload * terms, end = d + terms; d < end; d++, i++) {
      const x = excess[i]! - demand[d]!;
      if (x > 0) cost += x;
    }
    return this.levels === 0 ? cost : cost + this.levelCost(node, -1, workload);
  }

  /** The node's cost with one workload more; counting stops once it exceeds `limit`. */
  costWith(workload: number, node: number, limit: number): number {
    const terms = this.terms;
    const excess = this.excess;
    const demand = this.demand;
    let i = node * terms;
    let cost = 0;
    for (let d = workload * terms, end = d + terms; d < end; d++, i++) {
      const x = excess[i]! + demand[d]!;
      if (x > 0) {
        cost += x;
        if (cost > limit) return cost;
      }
    }
    return this.levels === 0 ? cost : cost + this.levelCost(node, workload, -1);
  }

  /** The cost of the node of `outgoing` with `incoming` in its place; counting stops once it exceeds `limit`. */
  costInstead(incoming: number, outgoing: number, limit: number): number {
    const terms = this.terms;
    const excess = this.excess;
    const demand = this.demand;
    const node = this.assignment[outgoing]!;
    let i = node * terms;
    let o = outgoing * terms;
    let cost = 0;
    for (let d = incoming * terms, end = d + terms; d < end; d++, i++, o++) {
      const x = excess[i]! + demand[d]! - demand[o]!;
      if (x > 0) {
        cost += x;
        if (cost > limit) return cost;
      }
    }
    return this.levels === 0 ? cost : cost + this.levelCost(node, incoming, outgoing);
  }

  /** What moving the workload to `to` changes in the total cost. Exact; says nothing of whether it is allowed. */
  shiftDelta(workload: number, to: number): number {
    const from = this.assignment[workload]!;
    return (
      this.costWithout(workload, from) -
      this.nodeCost[from]! +
      this.costWith(workload, to, Infinity) -
      this.nodeCost[to]! +
      this.moves.shiftDelta(workload, from, to)
    );
  }

  /** What exchanging the nodes of two workloads changes in the total cost. */
  swapDelta(first: number, second: number): number {
    const a = this.assignment[first]!;
    const b = this.assignment[second]!;
    return (
      this.costInstead(second, first, Infinity) -
      this.nodeCost[a]! +
      this.costInstead(first, second, Infinity) -
      this.nodeCost[b]! +
      this.moves.swapDelta(first, a, second, b)
    );
  }

  mayShift(workload: number, to: number): boolean {
    const from = this.assignment[workload]!;
    return from !== to && this.moves.allows(workload, to) && this.fits(workload, to) && this.rules.mayMove(workload, from, to);
  }

  maySwap(first: number, second: number): boolean {
    const a = this.assignment[first]!;
    const b = this.assignment[second]!;
    return a !== b && this.fitsInstead(second, first) && this.fitsInstead(first, second) && this.rulesAllowSwap(first, a, second, b);
  }

  /** The rules alone: the second move is judged with the first one made. */
  rulesAllowSwap(first: number, a: number, second: number, b: number): boolean {
    if (!this.moves.allowsSwap(first, b, second, a)) return false;
    const group = this.model.group;
    if (group[first] === group[second] && group[first] !== -1) return true;
    if (!this.rules.mayMove(first, a, b)) return false;
    this.rules.move(first, a, b);
    const allowed = this.rules.mayMove(second, b, a);
    this.rules.move(first, b, a);
    return allowed;
  }

  /** Moves the workload; returns what that changed in the cost. */
  shift(workload: number, to: number): number {
    const from = this.assignment[workload]!;
    const before = this.nodeCost[from]! + this.nodeCost[to]!;
    const moving = this.moves.shift(workload, from, to);
    this.rules.move(workload, from, to);
    this.members.move(workload, from, to);
    this.assignment[workload] = to;
    this.put(workload, from, -1);
    this.put(workload, to, 1);
    const delta = this.nodeCost[from]! + this.nodeCost[to]! - before + moving;
    this.cost += delta;
    return delta;
  }

  swap(first: number, second: number): number {
    const a = this.assignment[first]!;
    const b = this.assignment[second]!;
    return this.shift(first, b) + this.shift(second, a);
  }

  /** Takes every sum anew, so that rounding of fractional costs cannot pile up. */
  refresh(): void {
    let cost = this.moves.total();
    for (let m = 0; m < this.model.nodes; m++) {
      this.nodeCost[m] = this.nodeCostNow(m);
      cost += this.nodeCost[m]!;
    }
    this.cost = cost;
  }

  private put(workload: number, node: number, sign: 1 | -1): void {
    const resources = this.resources;
    const keepsHold = this.start[workload] === node;
    for (let r = 0, d = workload * resources, i = node * resources; r < resources; r++, d++, i++) {
      if (!keepsHold || this.transient[r] === 0) this.slack[i] = this.slack[i]! - sign * this.requirement[d]!;
    }
    const terms = this.terms;
    for (let d = workload * terms, end = d + terms, i = node * terms; d < end; d++, i++) {
      this.excess[i] = this.excess[i]! + sign * this.demand[d]!;
    }
    for (let l = 0, i = node * this.levels; l < this.levels; l++, i++) {
      this.levelGap[i] = this.levelGap[i]! + sign * this.levelUnit[i]! * this.requirement[workload * resources + this.levelResource[l]!]!;
    }
    this.nodeCost[node] = this.nodeCostNow(node);
  }

  private nodeCostNow(node: number): number {
    let cost = 0;
    for (let i = node * this.terms, end = i + this.terms; i < end; i++) if (this.excess[i]! > 0) cost += this.excess[i]!;
    return this.levels === 0 ? cost : cost + this.levelCost(node, -1, -1);
  }

  private levelCost(node: number, incoming: number, outgoing: number): number {
    let cost = 0;
    for (let l = 0, i = node * this.levels; l < this.levels; l++, i++) {
      const resource = this.levelResource[l]!;
      let moved = 0;
      if (incoming >= 0) moved += this.requirement[incoming * this.resources + resource]!;
      if (outgoing >= 0) moved -= this.requirement[outgoing * this.resources + resource]!;
      const gap = this.levelGap[i]! + this.levelUnit[i]! * moved;
      cost += gap * gap;
    }
    return cost;
  }

  private fillTables(): void {
    const { model, terms, resources } = this;
    const { nodes, workloads, balances, softWeight, capacity, softCapacity, requirement } = model;
    for (let m = 0; m < nodes; m++) {
      for (let r = 0; r < resources; r++) this.excess[m * terms + r] = -softWeight[r]! * softCapacity[m * resources + r]!;
      balances.forEach((b, k) => {
        const free = b.target * capacity[m * resources + b.first]! - capacity[m * resources + b.second]!;
        this.excess[m * terms + resources + k] = b.weight * free;
      });
      model.levels.forEach((level, l) => {
        const root = Math.sqrt(level.weight);
        const size = capacity[m * resources + level.resource]!;
        this.levelGap[m * this.levels + l] = -level.target * root;
        this.levelUnit[m * this.levels + l] = size > 0 ? root / size : 0;
      });
    }
    for (let w = 0; w < workloads; w++) {
      for (let r = 0; r < resources; r++) this.demand[w * terms + r] = softWeight[r]! * requirement[w * resources + r]!;
      balances.forEach((b, k) => {
        const taken = b.target * requirement[w * resources + b.first]! - requirement[w * resources + b.second]!;
        this.demand[w * terms + resources + k] = -b.weight * taken;
      });
      this.put(w, this.assignment[w]!, 1);
      this.holdAtStart(w);
    }
  }

  private holdAtStart(workload: number): void {
    // put() leaves a transient resource of the start node alone: it is held there whether the workload is at home or not.
    const at = this.start[workload]! * this.resources;
    for (let r = 0; r < this.resources; r++) {
      if (this.transient[r]) this.slack[at + r] = this.slack[at + r]! - this.requirement[workload * this.resources + r]!;
    }
  }
}
