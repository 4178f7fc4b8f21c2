/** The best assignment of all threads, in shared memory: a lock, a cost and an assignment. */
export class SharedBest {
  readonly memory: SharedArrayBuffer;
  private readonly lock: Int32Array;
  private readonly costCell: Float64Array;
  private readonly assignment: Int32Array;

  /** Makes a board for `workloads`, or opens the one that lies in `memory`. */
  constructor(workloads: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(16 + workloads * 4);
    this.lock = new Int32Array(this.memory, 0, 1);
    this.costCell = new Float64Array(this.memory, 8, 1);
    this.assignment = new Int32Array(this.memory, 16, workloads);
    if (memory === undefined) this.costCell[0] = Infinity;
  }

  /** Puts the assignment up if it is better than what is there. */
  offer(assignment: Int32Array, cost: number): void {
    this.locked(() => {
      if (cost >= this.costCell[0]!) return;
      this.costCell[0] = cost;
      this.assignment.set(assignment);
    });
  }

  read(): { assignment: Int32Array; cost: number } {
    return this.locked(() => ({ assignment: Int32Array.from(this.assignment), cost: this.costCell[0]! }));
  }

  private locked<T>(action: () => T): T {
    while (Atomics.compareExchange(this.lock, 0, 0, 1) !== 0) Atomics.wait(this.lock, 0, 1, 10);
    try {
      return action();
    } finally {
      Atomics.store(this.lock, 0, 0);
      Atomics.notify(this.lock, 0, 1);
    }
  }
}
