import type { PlanContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { enterMove } from "../ledger.js";
import { compareIds } from "../order.js";
import { refuse, refuseAll } from "../sentences.js";
import { type Candidate, drainCandidates } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { isNodeBusy, whyNotStart } from "../stages/gates.js";
import { burdenedRatio, capacityOf } from "../stages/score.js";
import type { SkipReason } from "../types.js";
import { bytes, percent } from "../words.js";

/**
 * Empties all nodes under maintenance at once: one order and one count over all of them, so that two drains together
 * keep the limits that one drain keeps. Biggest first, since the small ones fit into what the big ones leave.
 */
export function drainNodes(context: PlanContext): void {
  const { fleet, config, now, skips } = context;
  const candidates: Candidate[] = [];
  for (const node of fleet.nodes) {
    if (node.state.maintenance === null) continue;
    for (const entry of drainCandidates(node, fleet)) {
      if ("reason" in entry) skips.push(refuse(entry.workload, entry.reason, config, now));
      else candidates.push(entry);
    }
  }
  for (const candidate of candidates.sort(compareUrgency)) drainWorkload(candidate, context);
}

function compareUrgency(a: Candidate, b: Candidate): number {
  const deadline = (candidate: Candidate) => candidate.source.state.maintenance?.deadline ?? Number.MAX_VALUE;
  return (
    deadline(a) - deadline(b) ||
    b.need.memoryBytes - a.need.memoryBytes ||
    b.need.cpuCores - a.need.cpuCores ||
    compareIds(a.workload.id, b.workload.id)
  );
}

function drainWorkload(candidate: Candidate, context: PlanContext): void {
  const { config, ledger, now, moves, skips } = context;
  const { workload, need, source } = candidate;
  const halt = whyNotStart(context, source.id);
  const { target, refusals } = findPlace(candidate, context, halt === null);
  const busy = refusals.filter(({ reason }) => reason === "target-busy");
  if (target === null && busy.length === 0) {
    // No place at all is told even while the node waits its turn: the operator can see to it meanwhile.
    skips.push(refuseAll(workload, refusals, config));
  } else if (halt !== null) {
    skips.push(refuse(workload, halt, config, now));
  } else if (target === null) {
    skips.push(refuseAll(workload, busy, config));
  } else {
    enterMove(ledger, workload, need, target.id);
    const after = `CPU ${percent(burdenedRatio("cpu", target, ledger))}, memory ${percent(burdenedRatio("memory", target, ledger))}`;
    const because = `${source.id} is under maintenance; ${target.id} then has ${after}; ${bytes(need.memoryBytes)} to carry.`;
    moves.push({ workload: workload.id, from: source.id, to: target.id, reason: "maintenance", because });
  }
}

/** The node that is left with the most room, its scarcer resource counted; or just any, where only that matters. */
function findPlace(candidate: Candidate, context: PlanContext, best: boolean) {
  const { workload, need, source } = candidate;
  const refusals: { target: NodeView; reason: SkipReason }[] = [];
  let place: NodeView | null = null;
  let bestRatio = Number.POSITIVE_INFINITY;
  for (const target of context.fleet.nodes) {
    if (target === source) continue;
    const reason =
      whyNotThere(workload, need, target, context.ledger, context.config) ?? (isNodeBusy(context, target.id) ? "target-busy" : null);
    if (reason !== null) {
      refusals.push({ target, reason });
      continue;
    }
    const cpuRatio = burdenedRatio("cpu", target, context.ledger) + need.cpuCores / capacityOf("cpu", target);
    const memoryRatio = burdenedRatio("memory", target, context.ledger) + need.memoryBytes / capacityOf("memory", target);
    const ratio = Math.max(cpuRatio, memoryRatio);
    if (ratio < bestRatio) {
      place = target;
      bestRatio = ratio;
    }
    if (!best) break;
  }
  return { target: place, refusals };
}
