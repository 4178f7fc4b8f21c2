import type { PlanContext } from "../context.js";
import { windowOver } from "../gates/window.js";
import { refusalBy } from "../refusal/rest.js";
import type { MoveReason, SkipReason, WorkloadState } from "../types.js";

/** Moves that somebody or something insists on: windows, budgets, rest and cost do not hold them back. */
export function isForced(reason: MoveReason): boolean {
  return reason === "maintenance" || reason === "health" || reason === "operator" || reason === "homecoming";
}

/** What is moved for the fleet's good and not for its own node's: a node that is cordoned is left out of it. */
const FOR_THE_FLEET: ReadonlySet<MoveReason> = new Set(["balance", "consolidate"]);

/** Whether the workload may begin to move now, wherever to. Open migrations and those already planned count. */
export function whyNotStart(context: PlanContext, workload: WorkloadState, reason: MoveReason): SkipReason | null {
  const { ledger, limits, fleet, budget, config, now } = context;
  if (refusalBy(null, workload, config, now, isForced(reason)) !== null) return "workload-refused";
  if (FOR_THE_FLEET.has(reason) && fleet.nodeById.get(workload.node)?.state.cordoned) return "source-cordoned";
  if (!isForced(reason)) {
    if (windowOver(fleet.snapshot.windows, workload.node)) return "move-window";
    if (ledger.levellingMoves >= budget) return "budget-spent";
  }
  if (ledger.movesUnderWay >= limits.fleet) return "fleet-busy";
  if (isNodeBusy(context, workload.node)) return "source-busy";
  return isBudgetSpent(context, workload) ? "disruption-budget" : null;
}

/** Whether a move may end there now. */
export function whyNotArrive(context: PlanContext, target: string, reason: MoveReason): SkipReason | null {
  if (!isForced(reason) && windowOver(context.fleet.snapshot.windows, target)) return "move-window";
  return isNodeBusy(context, target) ? "target-busy" : null;
}

function isNodeBusy({ ledger, limits }: PlanContext, node: string): boolean {
  return (ledger.accounts.get(node)?.moves ?? 0) >= limits.perNode;
}

function isBudgetSpent({ ledger }: PlanContext, { constraints }: WorkloadState): boolean {
  const budget = constraints.disruptionBudget;
  return budget ? (ledger.disrupted.get(budget.group) ?? 0) >= budget.moving : false;
}

/** Reasons that pass by themselves: a destination refused for one of these is worth waiting for. */
export const PASSING: ReadonlySet<SkipReason> = new Set(["target-busy", "target-settling", "target-asleep", "move-window"]);
