/** Nodes by their present cost, costliest first: a binary heap in which an entry that has gone stale is skipped. */
export class CostQueue {
  private readonly nodes: number[] = [];
  private readonly costs: number[] = [];
  /** The cost under which a node is queued; NaN = it is not. */
  private readonly queued: Float64Array;

  constructor(private readonly nodeCost: Float64Array) {
    this.queued = new Float64Array(nodeCost.length).fill(Number.NaN);
    for (let node = 0; node < nodeCost.length; node++) this.add(node);
  }

  add(node: number): void {
    const cost = this.nodeCost[node] as number;
    if (this.queued[node] === cost) return;
    this.queued[node] = cost;
    let at = this.nodes.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.costs[parent] as number) >= cost) break;
      this.put(at, this.nodes[parent] as number, this.costs[parent] as number);
      at = parent;
    }
    this.put(at, node, cost);
  }

  /** The costliest node, or -1. */
  take(): number {
    for (;;) {
      const node = this.nodes[0];
      if (node === undefined) return -1;
      const cost = this.costs[0] as number;
      this.removeTop();
      if (this.queued[node] !== cost) continue;
      this.queued[node] = Number.NaN;
      return node;
    }
  }

  private removeTop(): void {
    const node = this.nodes.pop() as number;
    const cost = this.costs.pop() as number;
    const length = this.nodes.length;
    if (length === 0) return;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && (this.costs[child + 1] as number) > (this.costs[child] as number)) child++;
      if ((this.costs[child] as number) <= cost) break;
      this.put(at, this.nodes[child] as number, this.costs[child] as number);
      at = child;
    }
    this.put(at, node, cost);
  }

  private put(at: number, node: number, cost: number): void {
    this.nodes[at] = node;
    this.costs[at] = cost;
  }
}
