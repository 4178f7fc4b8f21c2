import { Random } from "./random.js";
import type { SearchState } from "./state.js";

const SAMPLES = 4000;
/** Of the smallest cost there is: below it nothing that costs is accepted any more. */
const COLDEST_SHARE = 0.12;
const WIDEST_RANGE = 1e9;
const NARROWEST_RANGE = 1e3;

/**
 * Between which temperatures to search, from the size of the changes that random moves make: the hottest is `hottestShare` of the average
 * change. Both 0 when no move changes anything.
 */
export function temperatureRange(state: SearchState, hottestShare: number): { hottest: number; coldest: number } {
  const { workloads, nodes, moveCost, nodeMoveCost, nodeMoveWeight, groupMoveWeight } = state.model;
  if (workloads === 0 || nodes < 2) return { hottest: 0, coldest: 0 };
  const random = new Random(1);
  let sum = 0;
  let count = 0;
  let smallest = groupMoveWeight > 0 ? groupMoveWeight : Infinity;
  for (let i = 0; i < SAMPLES; i++) {
    const workload = random.below(workloads);
    const node = random.below(nodes);
    if (moveCost[workload] === Infinity || node === state.assignment[workload]) continue;
    sum += Math.abs(state.shiftDelta(workload, node));
    count++;
    if (moveCost[workload]! > 0) smallest = Math.min(smallest, moveCost[workload]!);
    const between = nodeMoveCost === null ? 0 : nodeMoveWeight * nodeMoveCost[state.model.start[workload]! * nodes + node]!;
    if (between > 0) smallest = Math.min(smallest, between);
  }
  const hottest = count === 0 ? 0 : (hottestShare * sum) / count;
  const coldest = Math.min(hottest / NARROWEST_RANGE, Math.max(hottest / WIDEST_RANGE, COLDEST_SHARE * smallest));
  return { hottest, coldest: Number.isFinite(coldest) ? coldest : hottest / NARROWEST_RANGE };
}
