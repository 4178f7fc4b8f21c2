import type { Destinations } from "./destinations.js";
import { Division, MOST_DIVIDED } from "./division.js";
import type { Random } from "./random.js";
import type { SearchState } from "./state.js";
import { TentativeMoves } from "./tentative-moves.js";

/**
 * A big workload goes to another node, and the two then divide the rest of what they hold anew: so it is exchanged for whatever set is worth about as
 * much. If one of its own group is in the way, the two change places first. Tried on scratch rows; the state is touched only to accept.
 */
export class Exchange {
  private readonly division: Division;
  private readonly made: TentativeMoves;

  constructor(
    private readonly state: SearchState,
    random: Random,
    private readonly destinations: Destinations,
  ) {
    this.division = new Division(state, random);
    this.made = new TentativeMoves(state, MOST_DIVIDED + 2);
  }

  /** Makes the exchange and returns the number of workloads moved (see `movedWorkload`); or returns 0 and changes nothing. */
  propose(workload: number, to: number, threshold: number): number {
    const { state, division } = this;
    const { rows } = division;
    const from = state.assignment[workload]!;
    if (from === to) return 0;
    let partner = -1;
    if (!state.rules.mayMove(workload, from, to)) {
      partner = this.memberOn(to, state.model.group[workload]!);
      if (partner < 0 || !this.destinations.canReach(partner, from) || !state.moves.allowsSwap(workload, to, partner, from)) return 0;
    } else if (!state.moves.allows(workload, to)) return 0;

    const limit = threshold + state.nodeCost[from]! + state.nodeCost[to]!;
    division.begin(workload, partner, from, to);
    if (!division.makeRoom() || rows.leastCost() + division.otherCost > limit) return 0;
    division.level();
    if (rows.cost() + division.otherCost > limit) return 0;
    return this.commit(workload, partner, threshold);
  }

  movedWorkload(index: number): number {
    return this.made.workload(index);
  }

  private memberOn(node: number, group: number): number {
    for (const w of this.state.members.onNode[node]!) if (this.state.model.group[w] === group) return w;
    return -1;
  }

  private commit(workload: number, partner: number, threshold: number): number {
    const { state, division, made } = this;
    const { nodes } = division.rows;
    made.begin();
    made.make(workload, nodes[1]!);
    if (partner >= 0) made.make(partner, nodes[0]!);
    let allowed = true;
    for (let i = 0; i < division.count && allowed; i++) {
      const follower = division.workloads[i]!;
      const node = division.nodeOf(i);
      if (state.assignment[follower] !== node) allowed = made.makeIfAllowed(follower, node);
    }
    if (allowed && made.costChange() <= threshold) return made.count;
    made.takeBack();
    return 0;
  }
}
