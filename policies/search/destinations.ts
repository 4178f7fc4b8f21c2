import type { Random } from "./random.js";
import type { SearchState } from "./state.js";

/** Workloads with more nodes than this in reach draw them at random; shorter lists are kept. */
const LONGEST_LIST = 64;
const DRAWS = 8;
const NO_LIST = new Int32Array(0);

/**
 * The nodes that a workload could ever be on, whatever the others do: natives hold transient resources on their start node wherever they are.
 * Big workloads have few of them, and would hardly ever meet one by chance.
 */
export class Destinations {
  /** nodes × resources: the most that can ever be free. */
  private readonly reach: Float64Array;
  /** Per workload, made when first asked for; `NO_LIST` = too many to list. */
  private readonly lists: (Int32Array | undefined)[];

  constructor(
    private readonly state: SearchState,
    private readonly random: Random,
  ) {
    const { resources, transient, capacity, requirement, start, workloads } = state.model;
    this.lists = Array.from({ length: workloads });
    this.reach = Float64Array.from(capacity);
    start.forEach((home, w) => {
      for (let r = 0; r < resources; r++) {
        if (transient[r]) this.reach[home * resources + r] = this.reach[home * resources + r]! - requirement[w * resources + r]!;
      }
    });
  }

  /** Whether the workload could be on the node if all visitors and all that may leave had left. */
  canReach(workload: number, to: number): boolean {
    const { resources, requirement, transient, start } = this.state.model;
    const home = start[workload] === to;
    for (let r = 0, w = workload * resources, t = to * resources; r < resources; r++, w++, t++) {
      if (requirement[w]! > this.reach[t]! && !(home && transient[r] === 1)) return false;
    }
    return true;
  }

  /** A random node that the workload could be on, other than its own; or -1. */
  draw(workload: number): number {
    const { random, state } = this;
    const list = this.lists[workload] ?? this.list(workload);
    this.lists[workload] = list;
    const from = state.assignment[workload]!;
    if (list === NO_LIST) {
      for (let draw = 0; draw < DRAWS; draw++) {
        const to = random.below(state.model.nodes);
        if (to !== from && this.canReach(workload, to) && state.moves.mayVisit(workload, to)) return to;
      }
      return -1;
    }
    if (list.length === 0) return -1;
    const at = random.below(list.length);
    if (list[at] !== from) return list[at]!;
    return list.length === 1 ? -1 : list[(at + 1) % list.length]!;
  }

  private list(workload: number): Int32Array {
    const found: number[] = [];
    for (let node = 0; node < this.state.model.nodes; node++) {
      if (!this.canReach(workload, node) || !this.state.moves.mayVisit(workload, node)) continue;
      found.push(node);
      if (found.length > LONGEST_LIST) return NO_LIST;
    }
    return Int32Array.from(found);
  }
}
