import type { PlanContext } from "./context.js";
import { foretellModes } from "./cost/move-cost.js";
import { needOf } from "./need.js";
import type { Move } from "./types.js";

/** Adds to each planned move what every mode would take: for people, who may ask for another. Left out while moves are only weighed, by the thousands. */
export function sayModes(moves: readonly Move[], { fleet, config }: Pick<PlanContext, "fleet" | "config">): readonly Move[] {
  return moves.map((move) => {
    const workload = fleet.workloadById.get(move.workload);
    const [source, target] = [fleet.nodeById.get(move.from), fleet.nodeById.get(move.to)];
    const need = workload === undefined ? null : needOf(workload);
    if (workload === undefined || source === undefined || target === undefined || need === null || move.cost === undefined) return move;
    return { ...move, cost: { ...move.cost, modes: foretellModes(workload, need, source, target, config.cost) } };
  });
}
