/** The best assignment met. Only what changed since is copied, so that a new best every few moves costs next to nothing. */
export class BestSoFar {
  cost: number;
  readonly assignment: Int32Array;
  private readonly changed: Int32Array;
  private readonly isChanged: Uint8Array;
  private count = 0;

  constructor(
    private readonly current: Int32Array,
    cost: number,
  ) {
    this.cost = cost;
    this.assignment = current.slice();
    this.changed = new Int32Array(current.length);
    this.isChanged = new Uint8Array(current.length);
  }

  note(workload: number): void {
    if (this.isChanged[workload] === 1) return;
    this.isChanged[workload] = 1;
    this.changed[this.count++] = workload;
  }

  take(cost: number): void {
    this.cost = cost;
    for (let i = 0; i < this.count; i++) {
      const workload = this.changed[i]!;
      this.assignment[workload] = this.current[workload]!;
      this.isChanged[workload] = 0;
    }
    this.count = 0;
  }
}
