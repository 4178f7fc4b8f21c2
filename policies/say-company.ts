import type { PlanContext } from "./context.js";
import type { NodeView } from "./fleet.js";
import { needOf } from "./need.js";
import { refuse, refuseTarget, sayFull } from "./sentences.js";
import { whyNotLevelled, whyStays } from "./stages/candidates.js";
import { groupNeed, whyUnfit } from "./stages/feasible.js";
import { isBeyondBudget, isBudgetSpent, whyResting } from "./stages/gates.js";
import type { Skip, SkipReason, WorkloadState } from "./types.js";

/** The skip of a workload that moves as one with others: it says which of them stands in the way, and why. */
export function sayCompany(skip: Skip, context: PlanContext): Skip {
  const { fleet, ledger, config, now } = context;
  const workload = fleet.workloadById.get(skip.workload);
  const others = fleet.asOne.get(skip.workload)?.filter(({ id }) => id !== skip.workload) ?? [];
  if (workload === undefined || others.length === 0) return skip;
  const target = skip.to === null ? undefined : fleet.nodeById.get(skip.to);
  const { reason } = skip;
  const need = needOf(workload);
  if (target && need && (reason === "target-cpu-full" || reason === "target-memory-full")) {
    const because = sayFull(groupNeed(workload, need, ledger), target, reason, config);
    return { ...skip, because: `It moves as one with ${nameAll(others)}, and for all of them ${because}` };
  }
  if (reason === "disruption-budget" && isBeyondBudget(workload, fleet)) {
    return { ...skip, because: `It moves as one with ${nameAll(others)}: more than a disruption budget of theirs ever lets move at once.` };
  }
  const gives = (member: WorkloadState) => reasonsOf(member, target, context).includes(reason);
  const other = gives(workload) ? undefined : others.find(gives);
  if (other === undefined) return reason === "no-target" || target === undefined ? addCompany(skip, others) : skip;
  const { because } = target ? refuseTarget(other, target, reason, config) : refuse(other, reason, config, now);
  return { ...skip, because: `It moves as one with ${other.name}, of which holds: ${because.charAt(0).toLowerCase()}${because.slice(1)}` };
}

/** What one gives as a reason to stay, or not to go there, for itself. */
function reasonsOf(member: WorkloadState, target: NodeView | undefined, context: PlanContext): (SkipReason | null)[] {
  const { fleet, config, ledger, now } = context;
  return [
    whyStays(member, fleet),
    whyNotLevelled(member, config, now),
    whyResting(member, config, now, false),
    isBudgetSpent(ledger, member, fleet) ? "disruption-budget" : null,
    target ? whyUnfit(member, target, context, false) : null,
  ];
}

function addCompany(skip: Skip, others: readonly WorkloadState[]): Skip {
  return { ...skip, because: `${skip.because} It moves as one with ${nameAll(others)}.` };
}

function nameAll(workloads: readonly WorkloadState[]): string {
  return workloads.map(({ name }) => name).join(", ");
}
