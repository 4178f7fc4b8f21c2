import { addSkip, type JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { compareIds } from "../order.js";
import { listGuests } from "../room/guests.js";
import { refuse } from "../sentences.js";
import { type Candidate, leaveCandidates } from "../stages/candidates.js";
import { tryToPlace, type Wish } from "../stages/place-elsewhere.js";
import type { MoveReason, SkipReason } from "../types.js";
import { makeRoom } from "./make-room.js";

/** Workloads for which room is sought in one plan: more could not be moved at once anyway. */
const MOST_ATTEMPTS = 16;
/** Reasons that room made by others could take away. One that refused it may have done so for want of memory. */
const FULL: ReadonlySet<SkipReason> = new Set(["target-cpu-full", "target-memory-full", "target-refused", "no-target"]);

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
  const wish = ({ source }: Candidate): Wish => ({ reason, why: why(source) });
  const staying = candidates.flatMap((candidate) => {
    const skip = tryToPlace(candidate, wish(candidate), context);
    return skip === null ? [] : [{ candidate, skip }];
  });
  let attempts = context.config.maintenance.makeRoom === false ? 0 : MOST_ATTEMPTS;
  const guests = listGuests(reason, context);
  for (const { candidate, skip } of staying) {
    const mayFit = FULL.has(skip.reason) && attempts-- > 0;
    addSkip(context, (mayFit ? makeRoom(candidate, wish(candidate), guests, context) : null) ?? skip);
  }
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
