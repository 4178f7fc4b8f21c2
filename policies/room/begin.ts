import { addMove, isSettling, type JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import type { NodeView } from "../fleet.js";
import { enterMove } from "../ledger.js";
import type { Candidate } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { isForced, whyNotStart } from "../stages/gates.js";
import type { MoveReason, Skip } from "../types.js";
import type { Departure } from "./find-way.js";
import { mayArriveNow } from "./guests.js";

/** Enters the move if it may begin now, and tells. A node whose readings settle is not judged, so nobody leaves it meanwhile. */
export function beginIfPossible({ guest, target }: Departure, reason: MoveReason, because: string, context: JudgedContext): boolean {
  const { workload, need, source } = guest;
  if (isSettling(source, context.config, context.now) || !mayArriveNow(target, reason, context)) return false;
  if (whyNotStart(context, workload, reason) !== null || whyNotThere(workload, need, target, context) !== null) return false;
  enterMove(context.ledger, workload, need, target);
  if (!isForced(reason)) context.ledger.levellingMoves++;
  const cost = estimateMoveCost(workload, need, source, target, context.config.cost);
  addMove(context, { workload: workload.id, from: source.id, to: target.id, reason, because, cost });
  return true;
}

/** What is said of a workload while others move out of its way. */
export function waitFor({ workload }: Pick<Candidate, "workload">, gate: NodeView, why: string): Skip {
  const because = `Room is being made for it on ${gate.id}: ${why}.`;
  return { workload: workload.id, from: workload.node, to: gate.id, reason: "room-being-made", because };
}
