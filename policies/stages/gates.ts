import type { CompleteConfig } from "../config.js";
import type { PlanContext } from "../context.js";
import { type Fleet, whyAnyOf } from "../fleet.js";
import { windowOver } from "../gates/window.js";
import type { Ledger } from "../ledger.js";
import { refusalBy } from "../refusal/rest.js";
import type { MoveReason, SkipReason, WorkloadState } from "../types.js";

/** Moves that an operator asks for: they are made in every mode. */
export function isAsked(reason: MoveReason): boolean {
  return reason === "maintenance" || reason === "operator" || reason === "homecoming";
}

/** Moves that somebody or something insists on: windows, budgets, rest and cost do not hold them back. */
export function isForced(reason: MoveReason): boolean {
  return isAsked(reason) || reason === "health";
}

/** What is moved for the fleet's good and not for its own node's: a node that is cordoned is left out of it. */
const FOR_THE_FLEET: ReadonlySet<MoveReason> = new Set(["balance", "consolidate"]);

/** Whether the workload may begin to move now, wherever to. Open migrations and those already planned count. */
export function whyNotStart(context: PlanContext, workload: WorkloadState, reason: MoveReason): SkipReason | null {
  const { ledger, limits, fleet, budget, config, now } = context;
  const resting = whyAnyOf(workload, fleet, (member) => whyResting(member, config, now, isForced(reason)));
  if (resting !== null) return resting;
  if (FOR_THE_FLEET.has(reason) && fleet.nodeById.get(workload.node)?.state.cordoned) return "source-cordoned";
  if (!isForced(reason)) {
    if (windowOver(fleet.snapshot.windows, workload.node)) return "move-window";
    if (ledger.levellingMoves >= budget) return "budget-spent";
  }
  if (ledger.movesUnderWay >= limits.fleet) return "fleet-busy";
  if (isNodeBusy(context, workload.node)) return "source-busy";
  return whyAnyOf(workload, fleet, (member) => (isBudgetSpent(ledger, member, fleet) ? "disruption-budget" : null));
}

/** Whether its last move was refused or failed for a reason of its own, not long ago. */
export function whyResting(workload: WorkloadState, config: CompleteConfig, now: number, isForced: boolean): SkipReason | null {
  return refusalBy(null, workload, config, now, isForced) === null ? null : "workload-refused";
}

/** Reasons that only delay a workload's going. */
export const LATER: ReadonlySet<SkipReason | null> = new Set([null, "source-busy", "fleet-busy", "disruption-budget"]);

/** Nothing may begin anywhere for the sake of levelling. */
export function isHalted({ ledger, limits, budget, fleet }: PlanContext): boolean {
  const isClosed = fleet.snapshot.windows?.some(({ active, node }) => active && node === null);
  return isClosed === true || ledger.movesUnderWay >= limits.fleet || ledger.levellingMoves >= budget;
}

/** Whether a move may end there now. */
export function whyNotArrive(context: PlanContext, target: string, reason: MoveReason): SkipReason | null {
  if (!isForced(reason) && windowOver(context.fleet.snapshot.windows, target)) return "move-window";
  return isNodeBusy(context, target) ? "target-busy" : null;
}

function isNodeBusy({ ledger, limits }: PlanContext, node: string): boolean {
  return (ledger.accounts.get(node)?.moves ?? 0) >= limits.perNode;
}

/** Whether its disruption budget does not bear the workload, and all that move as one with it, besides what is under way. */
export function isBudgetSpent({ disrupted, disruptedUnknown }: Disruptions, workload: WorkloadState, { asOne }: Fleet): boolean {
  const budget = workload.constraints.disruptionBudget;
  if (!budget) return false;
  const together = (asOne.get(workload.id) ?? [workload]).filter(({ constraints }) => constraints.disruptionBudget?.group === budget.group);
  return (disrupted.get(budget.group) ?? 0) + disruptedUnknown + together.length > budget.moving;
}

type Disruptions = Pick<Ledger, "disrupted" | "disruptedUnknown">;

const NOTHING_UNDER_WAY: Disruptions = { disrupted: new Map(), disruptedUnknown: 0 };

/** Whether so many move as one that a disruption budget of theirs would not bear it at any time. */
export function isBeyondBudget(workload: WorkloadState, fleet: Fleet): boolean {
  return whyAnyOf(workload, fleet, (member) => (isBudgetSpent(NOTHING_UNDER_WAY, member, fleet) ? "disruption-budget" : null)) !== null;
}

/** Reasons for which a destination will not do just now, and will in a moment. */
export const MOMENTARY: ReadonlySet<SkipReason> = new Set(["target-busy", "target-settling"]);

/** Reasons that pass by themselves, the soonest first: a destination refused for one of these is worth waiting for. */
export const PASSING: readonly ReadonlySet<SkipReason>[] = [MOMENTARY, new Set(["target-asleep"]), new Set(["move-window"])];
