import { addSkip, type JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { compareIds } from "../order.js";
import { refuse } from "../sentences.js";
import { type Candidate, leaveCandidates } from "../stages/candidates.js";
import { placeElsewhere } from "../stages/place-elsewhere.js";
import type { MoveReason } from "../types.js";

/**
 * Empties nodes, all of them at once: one order and one count over all, so that two drains together keep the limits that
 * one drain keeps. Biggest first, since the small ones fit into what the big ones leave.
 */
export function emptyNodes(nodes: readonly NodeView[], reason: MoveReason, why: (node: NodeView) => string, context: JudgedContext): void {
  const { fleet, config, now } = context;
  const candidates: Candidate[] = [];
  for (const node of nodes) {
    for (const entry of leaveCandidates(node, fleet)) {
      if ("reason" in entry) addSkip(context, refuse(entry.workload, entry.reason, config, now));
      else candidates.push(entry);
    }
  }
  const split = (candidate: Candidate) => (isGroupSplit(candidate, context) ? 0 : 1);
  candidates.sort((a, b) => split(a) - split(b) || compareUrgency(a, b));
  for (const candidate of candidates) placeElsewhere(candidate, { reason, why: why(candidate.source) }, context);
}

function compareUrgency(a: Candidate, b: Candidate): number {
  const deadline = (candidate: Candidate) => candidate.source.state.maintenance?.deadline ?? Number.MAX_VALUE;
  const priority = (candidate: Candidate) => candidate.workload.constraints.priority ?? 0;
  return (
    deadline(a) - deadline(b) ||
    priority(a) - priority(b) ||
    b.need.memoryBytes - a.need.memoryBytes ||
    b.need.cpuCores - a.need.cpuCores ||
    compareIds(a.workload.id, b.workload.id)
  );
}

/** Whether some of its affinity group have left already: then it follows before anybody else takes the room. */
function isGroupSplit({ workload }: Candidate, { ledger: { company } }: JudgedContext): boolean {
  const group = workload.constraints.affinityGroup;
  if (!group) return false;
  return (company.together.get(group) ?? []).some(({ id, node }) => (company.headedFor.get(id) ?? node) !== workload.node);
}
