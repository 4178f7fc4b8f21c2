import type { Random } from "./random.js";
import type { SearchState } from "./state.js";
import { TwoNodes } from "./two-nodes.js";

/** Workloads of each of the two nodes that may change sides. */
const MOST_OF_A_NODE = 64;
export const MOST_DIVIDED = 2 * MOST_OF_A_NODE;
const MOST_STEPS = 24;
/** Workloads compared for each step. */
const COMPARED = 8;
/** Only what frees at least this share of what is wanted is compared. */
const USEFUL_SHARE = 0.3;
/** Nodes looked at for one that fits on neither of the two. */
const THIRD_DRAWS = 16;
const AWAY = 2;

/** What two nodes hold, divided between them anew on scratch rows, step by step, each the best of a few. What fits on neither goes to a third node. */
export class Division {
  readonly rows: TwoNodes;
  count = 0;
  /** What moves and third nodes cost more. */
  otherCost = 0;
  readonly workloads = new Int32Array(MOST_DIVIDED);
  /** The side each is on, or AWAY. */
  private readonly side = new Uint8Array(MOST_DIVIDED);
  private readonly barred = new Uint8Array(MOST_DIVIDED);
  private readonly third = new Int32Array(MOST_DIVIDED);
  private readonly compared = new Int32Array(COMPARED);

  constructor(
    private readonly state: SearchState,
    private readonly random: Random,
  ) {
    this.rows = new TwoNodes(state);
  }

  /** The two nodes as they are once `workload` has gone over from the first, and `partner` (-1 = none) from the second. Both then stay. */
  begin(workload: number, partner: number, from: number, to: number): void {
    const { rows } = this;
    rows.begin(from, to);
    rows.cross(workload, 0);
    this.otherCost = this.moveCost(workload, from, to);
    if (partner >= 0) {
      rows.cross(partner, 1);
      this.otherCost += this.moveCost(partner, to, from);
    }
    this.count = 0;
    for (let side = 0; side < 2; side++) this.gather(side, workload, partner);
  }

  /** Until all fits. False when that fails. */
  makeRoom(): boolean {
    const { rows } = this;
    let steps = 0;
    for (let at = rows.worstLack(); at >= 0; at = rows.worstLack()) if (++steps > MOST_STEPS || !this.relieve(at)) return false;
    return true;
  }

  /** As long as that saves cost. */
  level(): void {
    const { rows } = this;
    let steps = 0;
    for (let at = rows.mostTransferable(); at >= 0 && steps < MOST_STEPS; at = rows.mostTransferable(), steps++)
      if (!this.lessen(at)) return;
  }

  /** The node that the workload at this place was given. */
  nodeOf(index: number): number {
    const side = this.side[index]!;
    return side === AWAY ? this.third[index]! : this.rows.nodes[side]!;
  }

  private gather(side: number, workload: number, partner: number): void {
    const list = this.state.members.onNode[this.rows.nodes[side]!]!;
    // From a random place on, as a node may hold more than are taken.
    let at = this.random.below(list.length);
    for (let n = Math.min(list.length, MOST_OF_A_NODE); n > 0; n--) {
      if (++at >= list.length) at = 0;
      if (list[at] === workload || list[at] === partner) continue;
      this.workloads[this.count] = list[at]!;
      this.barred[this.count] = 0;
      this.side[this.count++] = side;
    }
  }

  /** One goes over, or away, to lessen what is lacking at this place of the rows. False when there is none. */
  private relieve(at: number): boolean {
    const { rows } = this;
    const { requirement, resources } = this.state.model;
    const side = at < resources ? 0 : 1;
    const useful = -rows.slack[at]! * USEFUL_SHARE;
    let least = rows.cost() + rows.lack();
    let crossing = -1;
    let compared = 0;
    let i = this.random.below(this.count);
    for (let n = this.count; n > 0 && compared < COMPARED; n--) {
      if (++i >= this.count) i = 0;
      const workload = this.workloads[i]!;
      if (this.side[i] !== side || this.barred[i] === 1 || requirement[workload * resources + (at % resources)]! <= useful) continue;
      this.compared[compared++] = i;
      const cost = rows.costAfter(workload, side);
      if (cost >= least) continue;
      const after = cost + rows.lackAfter(workload, side);
      if (after >= least) continue;
      least = after;
      crossing = i;
    }
    if (crossing >= 0) this.cross(crossing);
    return crossing >= 0 || this.sendOneAway(side, compared);
  }

  /** Of those that were compared, the one that leaves least lacking. */
  private sendOneAway(side: number, compared: number): boolean {
    let least = this.rows.lack();
    let leaving = -1;
    for (let c = 0; c < compared; c++) {
      const lack = this.rows.lackAfter(this.workloads[this.compared[c]!]!, side, true);
      if (lack >= least) continue;
      least = lack;
      leaving = this.compared[c]!;
    }
    if (leaving >= 0) this.sendAway(leaving);
    return leaving >= 0;
  }

  /** One goes over to lessen the term at this place of the rows. False when none saves cost. */
  private lessen(at: number): boolean {
    const { rows } = this;
    const { demand, terms } = this.state;
    const side = at < terms ? 0 : 1;
    const useful = rows.transferable(at) * USEFUL_SHARE;
    let least = rows.cost();
    let chosen = -1;
    let i = this.random.below(this.count);
    for (let n = this.count, compared = 0; n > 0 && compared < COMPARED; n--) {
      if (++i >= this.count) i = 0;
      const workload = this.workloads[i]!;
      if (this.side[i] !== side || this.barred[i] === 1 || demand[workload * terms + (at % terms)]! <= useful) continue;
      compared++;
      const after = rows.costAfter(workload, side) + this.moveCost(workload, rows.nodes[side]!, rows.nodes[1 - side]!);
      if (after >= least || rows.lackAfter(workload, side) > 0) continue;
      least = after;
      chosen = i;
    }
    if (chosen >= 0) this.cross(chosen);
    return chosen >= 0;
  }

  private cross(index: number): void {
    const { state, rows } = this;
    const workload = this.workloads[index]!;
    const side = this.side[index]!;
    const from = rows.nodes[side]!;
    const to = rows.nodes[1 - side]!;
    // Back to where the state has it is always allowed.
    if (state.assignment[workload] !== to && !(state.moves.allows(workload, to) && state.rules.mayMove(workload, from, to))) {
      this.barred[index] = 1;
      return;
    }
    rows.cross(workload, side);
    this.otherCost += this.moveCost(workload, from, to);
    this.side[index] = 1 - side;
  }

  /** To the cheapest of some third nodes that has room. Each takes one at most, as its costs are taken from the state as it is. */
  private sendAway(index: number): void {
    const { state, random, rows } = this;
    const { start, nodes } = state.model;
    const workload = this.workloads[index]!;
    const at = state.assignment[workload]!;
    this.barred[index] = 1;
    let least = Infinity;
    let to = -1;
    for (let draw = 0; draw < THIRD_DRAWS; draw++) {
      const node = draw === 0 ? start[workload]! : random.below(nodes);
      if (node === rows.nodes[0] || node === rows.nodes[1] || !state.fits(workload, node) || this.isTaken(node)) continue;
      const cost = state.costWith(workload, node, Infinity) - state.nodeCost[node]! + state.moves.costAt(workload, node);
      if (cost >= least || !state.moves.allows(workload, node) || !state.rules.mayMove(workload, at, node)) continue;
      least = cost;
      to = node;
    }
    if (to < 0) return;
    const side = this.side[index]!;
    rows.leave(workload, side);
    this.otherCost += least - state.moves.costAt(workload, rows.nodes[side]!);
    this.side[index] = AWAY;
    this.third[index] = to;
  }

  private isTaken(node: number): boolean {
    for (let i = 0; i < this.count; i++) if (this.side[i] === AWAY && this.third[i] === node) return true;
    return false;
  }

  private moveCost(workload: number, from: number, to: number): number {
    return this.state.moves.costAt(workload, to) - this.state.moves.costAt(workload, from);
  }
}
