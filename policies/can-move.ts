import type { PolicyConfig } from "./config.js";
import { openContext } from "./context.js";
import { needOf } from "./need.js";
import { sayCompany } from "./say-company.js";
import { refuse, refuseTarget } from "./sentences.js";
import { whyNotLeave } from "./stages/candidates.js";
import { whyNotThere } from "./stages/feasible.js";
import type { Skip, Snapshot } from "./types.js";

/**
 * Whether an operator's own move is safe: the hard constraints, without cool-down, gain and concurrency, which guard
 * against Evenkeel's zeal and not against an operator's wish. Null: it is.
 */
export function canMove(snapshot: Snapshot, config: PolicyConfig, now: number, workloadId: string, toNode: string): Skip | null {
  // An operator asks again because something has been changed.
  const workloads = snapshot.workloads.map((each) => (each.refusals ? { ...each, refusals: [] } : each));
  const context = openContext({ ...snapshot, workloads }, config, now);
  const { fleet } = context;
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
  if (stays !== null) return { ...sayCompany(refuse(workload, stays, context.config, now), context), to: toNode };
  const reason = whyNotThere(workload, needOf(workload)!, target, context, true);
  return reason === null ? null : sayCompany(refuseTarget(workload, target, reason, config), context);
}
