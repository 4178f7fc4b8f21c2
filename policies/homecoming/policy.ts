import { addSkip, type JudgedContext } from "../context.js";
import { compareIds } from "../order.js";
import type { Policy } from "../policy.js";
import { refuse } from "../sentences.js";
import { leaveCandidates } from "../stages/candidates.js";
import { tryToPlace } from "../stages/place-elsewhere.js";

/** Brings workloads home that left a node for a drain which is over, because an operator wants them back. */
export const homecoming: Policy = {
  name: "homecoming",
  isEnabled: () => true,
  plan: (context) => {
    const homes = [...(context.fleet.snapshot.homecomings ?? [])].sort((a, b) => compareIds(a.node, b.node));
    for (const { node, workloads } of homes) for (const id of [...workloads].sort(compareIds)) bringHome(id, node, context);
  },
};

function bringHome(id: string, home: string, context: JudgedContext): void {
  const { fleet, config, now } = context;
  const workload = fleet.workloadById.get(id);
  const source = workload && fleet.nodeById.get(workload.node);
  if (!workload || !source || workload.node === home) return;
  const entry = leaveCandidates(source, fleet).find((candidate) => candidate.workload.id === id);
  if (entry === undefined) return;
  if ("reason" in entry) {
    addSkip(context, refuse(workload, entry.reason, config, now));
    return;
  }
  const why = `${home} is in service again, and it was here before the drain`;
  const skip = tryToPlace(entry, { reason: "homecoming", why, whyNotTo: (target) => (target.id === home ? null : "not-home") }, context);
  if (skip === null) return;
  context.keptFromHome.set(id, home);
  addSkip(context, skip);
}
