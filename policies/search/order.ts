import type { SearchModel } from "./model.js";
import { orderBySize } from "./order-by-size.js";
import { SearchState } from "./state.js";

export interface OrderedMove {
  readonly workload: number;
  readonly from: number;
  readonly to: number;
  /** A stop on the way: the workload goes on later. */
  readonly parking: boolean;
}

export interface MoveOrder {
  readonly steps: readonly OrderedMove[];
  /** Workloads that could not be brought where the assignment wants them. */
  readonly refused: readonly number[];
  /** Where every workload is after the steps. */
  readonly assignment: Int32Array;
}

/**
 * Turns an assignment into moves made one after the other. Each has room on its destination while its source still holds
 * it, and leaves the groups' rules whole. Where moves wait for each other in a circle one of them is parked on a third node, at most
 * once each; what then still cannot move is refused.
 */
export function orderMoves(model: SearchModel, assignment: Int32Array): MoveOrder {
  // One move at a time: the source lets go before the next one starts, so nothing is held on two nodes but what is moving.
  const state = new SearchState({ ...model, transient: new Uint8Array(model.resources) });
  const steps: OrderedMove[] = [];
  const parked = new Set<number>();
  const move = (workload: number, to: number, parking: boolean): void => {
    steps.push({ workload, from: state.assignment[workload]!, to, parking });
    state.shift(workload, to);
  };
  let waiting = [...orderBySize(model)].filter((w) => assignment[w] !== model.start[w]);
  for (;;) {
    const before = waiting.length;
    waiting = waiting.filter((workload) => {
      if (!state.mayShift(workload, assignment[workload]!)) return true;
      move(workload, assignment[workload]!, false);
      return false;
    });
    if (waiting.length === 0) break;
    if (waiting.length < before) continue;
    const stop = findParking(state, assignment, waiting, parked);
    if (stop === null) break;
    parked.add(stop.workload);
    move(stop.workload, stop.node, true);
  }
  for (const workload of waiting) {
    if (parked.has(workload) && state.mayShift(workload, model.start[workload]!)) move(workload, model.start[workload]!, false);
  }
  return { steps, refused: waiting, assignment: state.assignment };
}

/** A workload, smallest first, and a node where it can wait so that another can move. Changes nothing. */
function findParking(
  state: SearchState,
  assignment: Int32Array,
  waiting: readonly number[],
  parked: ReadonlySet<number>,
): { workload: number; node: number } | null {
  for (let i = waiting.length - 1; i >= 0; i--) {
    const workload = waiting[i]!;
    if (parked.has(workload)) continue;
    const from = state.assignment[workload]!;
    const wanting = waiting.filter((w) => w !== workload && assignment[w] === from);
    if (wanting.length === 0) continue;
    for (let node = 0; node < state.model.nodes; node++) {
      if (node === assignment[workload] || !state.mayShift(workload, node)) continue;
      state.shift(workload, node);
      const helps = wanting.some((w) => state.mayShift(w, from));
      state.shift(workload, from);
      if (helps) return { workload, node };
    }
  }
  return null;
}
