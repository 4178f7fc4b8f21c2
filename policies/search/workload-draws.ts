import { orderBySize } from "./order-by-size.js";
import type { Random } from "./random.js";
import type { SearchState } from "./state.js";

const COSTLY_DRAWS = 6;
const VISITOR_DRAWS = 3;

/** Random workloads of the kinds that are worth the trouble of an ejection or exchange. */
export class WorkloadDraws {
  private readonly bySize: Int32Array;
  private readonly sizeRank: Int32Array;

  constructor(
    private readonly state: SearchState,
    private readonly random: Random,
  ) {
    this.bySize = orderBySize(state.model);
    this.sizeRank = new Int32Array(this.bySize.length);
    this.bySize.forEach((workload, rank) => {
      this.sizeRank[workload] = rank;
    });
  }

  /** The higher the power, the more often a big one: they are few, decide most of the cost, and cannot move without help. */
  big(power: number): number {
    return this.bySize[Math.floor(this.bySize.length * this.random.ratio() ** power)]!;
  }

  /** The biggest of a few visitors: one that left its start node holds the room there that it leaves unused. -1 = there is none. */
  visitor(): number {
    const { away } = this.state.members;
    let workload = -1;
    for (let draw = 0; draw < VISITOR_DRAWS && away.length > 0; draw++) {
      const drawn = away[this.random.below(away.length)]!;
      if (workload < 0 || this.sizeRank[drawn]! < this.sizeRank[workload]!) workload = drawn;
    }
    return workload;
  }

  /** Of some workloads on a costly node the one whose leaving saves most. -1 = the node is empty. */
  costly(): number {
    const { state, random } = this;
    const { nodeCost, members } = state;
    let node = random.below(state.model.nodes);
    for (let draw = 1; draw < COSTLY_DRAWS; draw++) {
      const other = random.below(state.model.nodes);
      if (nodeCost[other]! > nodeCost[node]!) node = other;
    }
    const list = members.onNode[node]!;
    let workload = -1;
    let least = Infinity;
    for (let draw = 0; draw < Math.min(list.length, COSTLY_DRAWS); draw++) {
      const drawn = list[random.below(list.length)]!;
      const cost = state.costWithout(drawn, node);
      if (cost >= least) continue;
      least = cost;
      workload = drawn;
    }
    return workload;
  }
}
