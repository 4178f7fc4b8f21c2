import type { SearchModel } from "./model.js";

/** Who is on each node, and who is away from its start node; built so that one of them can be drawn at random. */
export class Membership {
  /** Per node, in no order. */
  readonly onNode: number[][];
  /** Per node, those which started elsewhere. */
  readonly visitors: number[][];
  /** Workloads away from their start node, in no order. */
  readonly away: number[] = [];
  private readonly start: Int32Array;
  private readonly placeOnNode: Int32Array;
  private readonly placeAsVisitor: Int32Array;
  private readonly placeAway: Int32Array;

  constructor(model: SearchModel, assignment: Int32Array) {
    this.start = model.start;
    this.placeOnNode = new Int32Array(model.workloads);
    this.placeAsVisitor = new Int32Array(model.workloads);
    this.placeAway = new Int32Array(model.workloads);
    this.onNode = Array.from({ length: model.nodes }, () => []);
    this.visitors = Array.from({ length: model.nodes }, () => []);
    for (let w = 0; w < model.workloads; w++) {
      add(this.onNode[assignment[w]!]!, this.placeOnNode, w);
      if (assignment[w] === this.start[w]) continue;
      add(this.visitors[assignment[w]!]!, this.placeAsVisitor, w);
      add(this.away, this.placeAway, w);
    }
  }

  move(workload: number, from: number, to: number): void {
    remove(this.onNode[from]!, this.placeOnNode, workload);
    add(this.onNode[to]!, this.placeOnNode, workload);
    const home = this.start[workload]!;
    if (from !== home) remove(this.visitors[from]!, this.placeAsVisitor, workload);
    if (to !== home) add(this.visitors[to]!, this.placeAsVisitor, workload);
    if (from === home) add(this.away, this.placeAway, workload);
    else if (to === home) remove(this.away, this.placeAway, workload);
  }
}

function add(list: number[], places: Int32Array, workload: number): void {
  places[workload] = list.length;
  list.push(workload);
}

function remove(list: number[], places: Int32Array, workload: number): void {
  const last = list.pop()!;
  if (last === workload) return;
  const place = places[workload]!;
  list[place] = last;
  places[last] = place;
}
