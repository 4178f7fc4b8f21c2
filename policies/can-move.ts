import type { PolicyConfig } from "./config.js";
import { openContext, type PlanContext } from "./context.js";
import { whyAnyOf } from "./fleet.js";
import { needOf } from "./need.js";
import { sayCompany } from "./say-company.js";
import { refuse, refuseTarget } from "./sentences.js";
import { whyNotLeave } from "./stages/candidates.js";
import { whyNotThere } from "./stages/feasible.js";
import { isBudgetSpent } from "./stages/gates.js";
import type { Skip, Snapshot } from "./types.js";

/**
 * Whether an operator's own move is safe: the hard constraints and disruption budgets, without cool-down, gain and concurrency, which guard
 * against Evenkeel's zeal and not against an operator's wish. Null: it is.
 */
export function canMove(snapshot: Snapshot, config: PolicyConfig, now: number, workloadId: string, toNode: string): Skip | null {
  const context = openForOperator(snapshot, config, now);
  const unsafe = whyUnsafeIn(context, workloadId, toNode);
  if (unsafe !== null) return unsafe;
  const { fleet, ledger } = context;
  const workload = fleet.workloadById.get(workloadId)!;
  const spent = whyAnyOf(workload, fleet, (member) => (isBudgetSpent(ledger, member, fleet) ? "disruption-budget" : null));
  return spent === null ? null : { ...sayCompany(refuse(workload, spent, context.config, now), context), to: toNode };
}

/** The hard constraints alone, for a move that is open already: it had its part of the budgets when it was begun. Null: it is safe. */
export function whyUnsafe(snapshot: Snapshot, config: PolicyConfig, now: number, workloadId: string, toNode: string): Skip | null {
  return whyUnsafeIn(openForOperator(snapshot, config, now), workloadId, toNode);
}

/** An operator asks again because something has been changed. */
function openForOperator(snapshot: Snapshot, config: PolicyConfig, now: number): PlanContext {
  const workloads = snapshot.workloads.map((each) => (each.refusals ? { ...each, refusals: [] } : each));
  return openContext({ ...snapshot, workloads }, config, now);
}

function whyUnsafeIn(context: PlanContext, workloadId: string, toNode: string): Skip | null {
  const { fleet, config, now } = context;
  const workload = fleet.workloadById.get(workloadId);
  const skip = (reason: Skip["reason"], because: string): Skip => ({
    workload: workloadId,
    from: workload?.node ?? "",
    to: toNode,
    reason,
    because,
  });
  if (!workload) return skip("workload-missing", "No node reports such a workload.");
  if (workload.node === toNode) return skip("not-needed", `It is on ${toNode} already.`);
  const target = fleet.nodeById.get(toNode);
  if (!target) return skip("target-unknown", `No node ${toNode} has ever reported.`);
  const stays = whyNotLeave(workload, fleet);
  if (stays !== null) return { ...sayCompany(refuse(workload, stays, config, now), context), to: toNode };
  const reason = whyNotThere(workload, needOf(workload)!, target, context, true);
  return reason === null ? null : sayCompany(refuseTarget(workload, target, reason, config), context);
}
