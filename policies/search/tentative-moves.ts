import type { SearchState } from "./state.js";

/** Moves made on the state one after the other, until they are accepted or all taken back. */
export class TentativeMoves {
  count = 0;
  private costBefore = 0;
  private readonly moved: Int32Array;
  private readonly cameFrom: Int32Array;

  constructor(
    private readonly state: SearchState,
    most: number,
  ) {
    this.moved = new Int32Array(most);
    this.cameFrom = new Int32Array(most);
  }

  begin(): void {
    this.count = 0;
    this.costBefore = this.state.cost;
  }

  make(workload: number, to: number): void {
    this.moved[this.count] = workload;
    this.cameFrom[this.count++] = this.state.assignment[workload]!;
    this.state.shift(workload, to);
  }

  /** Makes the move if the rules allow it as things are now, and tells. Room is the caller's affair. */
  makeIfAllowed(workload: number, to: number): boolean {
    const { moves, rules, assignment } = this.state;
    if (!moves.allows(workload, to) || !rules.mayMove(workload, assignment[workload]!, to)) return false;
    this.make(workload, to);
    return true;
  }

  costChange(): number {
    return this.state.cost - this.costBefore;
  }

  takeBack(): void {
    while (this.count > 0) {
      this.count--;
      this.state.shift(this.moved[this.count]!, this.cameFrom[this.count]!);
    }
  }

  workload(index: number): number {
    return this.moved[index]!;
  }
}
