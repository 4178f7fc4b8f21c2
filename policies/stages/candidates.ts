import type { CompleteConfig } from "../config.js";
import { whyNotAgain } from "../fairness/rest.js";
import { type Fleet, type NodeView, whyAnyOf } from "../fleet.js";
import { freedBy, type Need, needOf, type Use, usageOf } from "../need.js";
import type { SkipReason, WorkloadState } from "../types.js";

/** A workload that may leave its node, what must be free for it elsewhere, and what its going is sure to free. */
export interface Candidate {
  readonly workload: WorkloadState;
  readonly source: NodeView;
  readonly need: Need;
  readonly frees: Use;
}

export interface Refusal {
  readonly workload: WorkloadState;
  readonly reason: SkipReason;
}

/** Why a workload may not leave at all, wherever to; null = it may, and so may all that move as one with it. */
export function whyNotLeave(workload: WorkloadState, fleet: Fleet): SkipReason | null {
  return whyAnyOf(workload, fleet, (member) => whyStays(member, fleet));
}

/** The same of one for itself. */
export function whyStays(workload: WorkloadState, fleet: Fleet): SkipReason | null {
  if (workload.constraints.mode === "never") return "workload-never";
  if (fleet.migrating.has(workload.id)) return "workload-migrating";
  const source = fleet.nodeById.get(workload.node);
  if (!source || source.load === null) return "source-unknown";
  if (source.state.executorSilent) return "executor-silent";
  if (workload.boundBy && workload.boundBy.length > 0) return "workload-bound";
  return needOf(workload) === null ? "workload-unknown-usage" : null;
}

/** All workloads of a node that must be emptied. One of unknown use goes too: its limit is reserved. */
export function leaveCandidates(source: NodeView, fleet: Fleet): (Candidate | Refusal)[] {
  return source.workloads.map((workload) => {
    const reason = whyNotLeave(workload, fleet);
    return reason === null ? { workload, source, need: needOf(workload)!, frees: freedBy(workload) } : { workload, reason };
  });
}

/** Why one may not be moved for levelling, for itself. */
export function whyNotLevelled(workload: WorkloadState, config: CompleteConfig, now: number): SkipReason | null {
  return usageOf(workload) === null ? "workload-unknown-usage" : whyNotAgain(workload, config, now);
}

/** The workloads that may be moved for levelling: only those whose use is known, and that have rested. */
export function levelCandidates(source: NodeView, fleet: Fleet, config: CompleteConfig, now: number): (Candidate | Refusal)[] {
  return source.workloads.map((workload) => {
    const need = usageOf(workload);
    const reason = whyNotLeave(workload, fleet) ?? whyAnyOf(workload, fleet, (member) => whyNotLevelled(member, config, now));
    return reason === null ? { workload, source, need: need!, frees: freedBy(workload) } : { workload, reason };
  });
}
