import type { PlanContext } from "./context.js";
import { estimateMoveCost } from "./cost/move-cost.js";
import { enterMove } from "./ledger.js";
import { needOf } from "./need.js";
import { isForced } from "./stages/gates.js";
import type { Move } from "./types.js";

/** Enters all that move as one with a workload whose own move has been entered. Whoever planned that has judged them too. @returns their moves. */
export function takeAlong({ fleet, ledger, config, spoken }: PlanContext, move: Move): Move[] {
  const { workload: id, from, to, reason } = move;
  const source = fleet.nodeById.get(from);
  const target = fleet.nodeById.get(to);
  const members = fleet.asOne.get(id);
  if (members === undefined || source === undefined || target === undefined) return [];
  const because = `It moves as one with ${fleet.workloadById.get(id)?.name}.`;
  return members.flatMap((member) => {
    const need = needOf(member);
    if (member.id === id || need === null || spoken.has(member.id)) return [];
    const cost = estimateMoveCost(member, need, source, target, config.cost);
    enterMove(ledger, member, need, target);
    if (!isForced(reason)) ledger.levellingMoves++;
    return [{ workload: member.id, from, to, reason, because, cost }];
  });
}
