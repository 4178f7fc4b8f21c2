import type { SearchModel } from "./model.js";

/** What being away from the start node costs, and whether a workload may be on a node at all, whatever the loads are. */
export class MoveCosts {
  /** Workloads away from their start node. */
  moved = 0;
  /** No move may raise `moved` above this. */
  maxMoves = Infinity;
  private readonly model: SearchModel;
  private readonly nodes: number;
  private readonly assignment: Int32Array;
  private readonly start: Int32Array;
  private readonly group: Int32Array;
  private readonly groupWeight: number;
  private readonly groupMoved: Int32Array;
  /** How many groups have so many workloads moved. */
  private readonly groupsWithMoved: Int32Array;
  private mostMoved = 0;

  constructor(model: SearchModel, assignment: Int32Array) {
    this.model = model;
    this.nodes = model.nodes;
    this.assignment = assignment;
    this.start = model.start;
    this.group = model.group;
    this.groupWeight = model.groupMoveWeight;
    this.groupMoved = new Int32Array(model.groups);
    this.groupsWithMoved = new Int32Array(model.workloads + 2);
    this.groupsWithMoved[0] = model.groups;
    for (let w = 0; w < model.workloads; w++) if (assignment[w] !== this.start[w]) this.countMoved(w, 1);
  }

  /** Whether the workload may be on the node: open, pinned there, within the move budget. */
  allows(workload: number, to: number): boolean {
    if (this.start[workload] === to) return true;
    return this.mayVisit(workload, to) && (this.moved < this.maxMoves || this.assignment[workload] !== this.start[workload]);
  }

  allowsSwap(first: number, firstTo: number, second: number, secondTo: number): boolean {
    if (!this.mayVisit(first, firstTo) || !this.mayVisit(second, secondTo)) return false;
    return this.moved + this.movedChange(first, firstTo) + this.movedChange(second, secondTo) <= this.maxMoves;
  }

  /** The fixed part: the workload's own cost of being on that node. */
  costAt(workload: number, node: number): number {
    const model = this.model;
    const home = this.start[workload]!;
    const stay = model.stayCost[node]!;
    if (home === node) return stay;
    const between = model.nodeMoveCost === null ? 0 : model.nodeMoveWeight * model.nodeMoveCost[home * this.nodes + node]!;
    return stay + model.moveCost[workload]! + between;
  }

  shiftDelta(workload: number, from: number, to: number): number {
    const fixed = this.costAt(workload, to) - this.costAt(workload, from);
    if (this.groupWeight === 0) return fixed;
    const change = this.movedChange(workload, to);
    if (change === 0) return fixed;
    this.countGroup(this.group[workload]!, change);
    const most = this.mostMoved;
    this.countGroup(this.group[workload]!, -change as 1 | -1);
    return fixed + this.groupWeight * (most - this.mostMoved);
  }

  swapDelta(first: number, a: number, second: number, b: number): number {
    const fixed = this.costAt(first, b) - this.costAt(first, a) + this.costAt(second, a) - this.costAt(second, b);
    if (this.groupWeight === 0) return fixed;
    const firstChange = this.movedChange(first, b);
    const secondChange = this.movedChange(second, a);
    if (firstChange === 0 && secondChange === 0) return fixed;
    const before = this.mostMoved;
    if (firstChange !== 0) this.countGroup(this.group[first]!, firstChange);
    if (secondChange !== 0) this.countGroup(this.group[second]!, secondChange);
    const most = this.mostMoved;
    if (firstChange !== 0) this.countGroup(this.group[first]!, -firstChange as 1 | -1);
    if (secondChange !== 0) this.countGroup(this.group[second]!, -secondChange as 1 | -1);
    return fixed + this.groupWeight * (most - before);
  }

  /** Records a move and returns what it changed in the cost. To be called before the assignment changes. */
  shift(workload: number, from: number, to: number): number {
    const fixed = this.costAt(workload, to) - this.costAt(workload, from);
    const change = this.movedChange(workload, to);
    if (change === 0) return fixed;
    const before = this.mostMoved;
    this.countMoved(workload, change);
    return fixed + this.groupWeight * (this.mostMoved - before);
  }

  /** All of it, counted anew. */
  total(): number {
    let cost = this.groupWeight * this.mostMoved;
    for (let w = 0; w < this.assignment.length; w++) cost += this.costAt(w, this.assignment[w]!);
    return cost;
  }

  /** Whether it may be there at all: open, pinned there, movable. */
  mayVisit(workload: number, to: number): boolean {
    if (this.start[workload] === to) return true;
    const model = this.model;
    if (model.closed[to] || model.moveCost[workload] === Infinity) return false;
    const end = model.pinnedOffset[workload + 1]!;
    let i = model.pinnedOffset[workload]!;
    if (i === end) return true;
    for (; i < end; i++) if (model.pinnedNodes[i] === to) return true;
    return false;
  }

  private movedChange(workload: number, to: number): 1 | -1 | 0 {
    const home = this.start[workload]!;
    if (to === home) return this.assignment[workload] === home ? 0 : -1;
    return this.assignment[workload] === home ? 1 : 0;
  }

  private countMoved(workload: number, change: 1 | -1): void {
    this.moved += change;
    this.countGroup(this.group[workload]!, change);
  }

  private countGroup(group: number, change: 1 | -1): void {
    if (group < 0) return;
    const counts = this.groupsWithMoved;
    const before = this.groupMoved[group]!;
    const after = before + change;
    this.groupMoved[group] = after;
    counts[before] = counts[before]! - 1;
    counts[after] = counts[after]! + 1;
    if (after > this.mostMoved) this.mostMoved = after;
    else if (counts[before] === 0 && before === this.mostMoved) this.mostMoved = after;
  }
}
