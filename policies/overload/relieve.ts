import { isSettling, type PlanContext, type Resource } from "../context.js";
import type { NodeView } from "../fleet.js";
import { enterMove } from "../ledger.js";
import { compareNumbers } from "../order.js";
import { refuse, refuseAll } from "../sentences.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { isNodeBusy, whyNotStart } from "../stages/gates.js";
import { burdenedRatio, type Effect, effectOf, gainOf, meanRatioOf, relievedRatio } from "../stages/score.js";
import { orderTargets } from "../stages/target-order.js";
import type { SkipReason } from "../types.js";
import { bytes, cores, percent } from "../words.js";

interface Choice {
  readonly candidate: Candidate;
  readonly target: NodeView;
  readonly effect: Effect;
  readonly gain: number;
}

/** Moves workloads off each overloaded node, hottest first, until it is back at its fix bound. */
export function relieveOverload(context: PlanContext): void {
  const { fleet, ledger, verdicts } = context;
  const hot = fleet.nodes.filter((node) => verdicts.get(node.id)!.verdict === "overloaded");
  if (hot.length === 0) return;
  const means = { cpu: meanRatioOf("cpu", fleet), memory: meanRatioOf("memory", fleet) };
  const heat = new Map(hot.map((node) => [node.id, Math.max(burdenedRatio("cpu", node, ledger), burdenedRatio("memory", node, ledger))]));
  const open = fleet.nodes.filter((node) => whyNotLevelTo(node, context) === null);
  for (const node of hot.sort((a, b) => compareNumbers(heat.get(b.id)!, heat.get(a.id)!))) relieveNode(node, open, means, context);
}

function relieveNode(source: NodeView, open: readonly NodeView[], means: Record<Resource, number>, context: PlanContext): void {
  const { fleet, config, now, ledger, moves, skips } = context;
  const remaining = new Set<Candidate>();
  for (const entry of levelCandidates(source, fleet, config.cooldownSeconds, now)) {
    if ("reason" in entry) skips.push(refuse(entry.workload, entry.reason, config, now));
    else remaining.add(entry);
  }
  for (;;) {
    const resource = nextToRelieve(source, context);
    const halt = resource === null ? "not-needed" : whyNotStart(context, source.id);
    if (resource === null || halt !== null) {
      for (const { workload } of remaining) skips.push(refuse(workload, halt ?? "not-needed", config, now));
      return;
    }
    const best = chooseMove(remaining, open, resource, means[resource], context);
    if (best === null) {
      for (const candidate of remaining) skips.push(explain(candidate, resource, means[resource], context));
      return;
    }
    const { workload, need } = best.candidate;
    remaining.delete(best.candidate);
    enterMove(ledger, workload, need, best.target.id);
    moves.push({ workload: workload.id, from: source.id, to: best.target.id, reason: "overload", because: sayWhy(best, resource) });
  }
}

/** The resource furthest above its fix bound once all departures under way are done; null when there is none. */
function nextToRelieve(source: NodeView, { config, ledger, verdicts }: PlanContext): Resource | null {
  let worst: Resource | null = null;
  let worstExcess = 0;
  for (const resource of verdicts.get(source.id)!.hot) {
    const bound = resource === "cpu" ? config.overload.cpuFixRatio : config.overload.memoryFixRatio;
    const excess = relievedRatio(resource, source, ledger) - bound;
    if (excess > worstExcess) {
      worst = resource;
      worstExcess = excess;
    }
  }
  return worst;
}

/** The move that lowers the imbalance most; among equals the one with the least memory to carry. */
function chooseMove(
  candidates: Iterable<Candidate>,
  targets: readonly NodeView[],
  resource: Resource,
  meanRatio: number,
  context: PlanContext,
): Choice | null {
  const order = orderTargets(targets, resource, context.ledger);
  let best: Choice | null = null;
  for (const candidate of candidates) {
    for (const peers of order) best = chooseAmongPeers(candidate, peers, best, resource, meanRatio, context);
  }
  return best;
}

function chooseAmongPeers(
  candidate: Candidate,
  peers: readonly NodeView[],
  best: Choice | null,
  resource: Resource,
  meanRatio: number,
  context: PlanContext,
): Choice | null {
  const { ledger, config } = context;
  for (const target of peers) {
    const effect = effectOf(resource, candidate.need, candidate.source, target, ledger);
    const { gain, share } = gainOf(effect, meanRatio);
    if (best !== null && (gain < best.gain || (gain === best.gain && candidate.need.memoryBytes >= best.candidate.need.memoryBytes))) break;
    if (!isWorthwhile(effect, share, context) || isNodeBusy(context, target.id)) continue;
    if (whyNotThere(candidate.workload, candidate.need, target, ledger, config) === null) return { candidate, target, effect, gain };
  }
  return best;
}

function isWorthwhile(effect: Effect, share: number, { config }: PlanContext): boolean {
  return share > 0 && share >= config.overload.minimumGainRatio && effect.targetAfter <= effect.sourceBefore;
}

/** Whether a node may take anything for the sake of levelling. */
function whyNotLevelTo(target: NodeView, { config, now, verdicts }: PlanContext): SkipReason | null {
  if (target.load === null) return "target-unknown";
  if (target.state.maintenance !== null) return "target-maintenance";
  const { verdict, hot } = verdicts.get(target.id)!;
  if (verdict === "overloaded") return hot[0] === "memory" ? "target-memory-full" : "target-cpu-full";
  return isSettling(target, config, now) ? "target-settling" : null;
}

function explain(candidate: Candidate, resource: Resource, meanRatio: number, context: PlanContext) {
  const { workload, need, source } = candidate;
  const refusals: { target: NodeView; reason: SkipReason }[] = [];
  for (const target of context.fleet.nodes) {
    if (target === source) continue;
    const reason = whyNotThere(workload, need, target, context.ledger, context.config) ?? whyNotLevelTo(target, context);
    if (reason !== null) {
      refusals.push({ target, reason });
      continue;
    }
    const effect = effectOf(resource, need, source, target, context.ledger);
    const worthwhile = isWorthwhile(effect, gainOf(effect, meanRatio).share, context);
    refusals.push({ target, reason: worthwhile ? "target-busy" : "gain-too-small" });
  }
  // A destination that is only busy is worth waiting for; what the others say does not matter then.
  const busy = refusals.filter(({ reason }) => reason === "target-busy");
  return refuseAll(workload, busy.length > 0 ? busy : refusals, context.config);
}

function sayWhy({ candidate, target, effect }: Choice, resource: Resource): string {
  const { cpuCores, memoryBytes } = candidate.need;
  const from = `${candidate.source.id} ${percent(effect.sourceBefore)} to ${percent(effect.sourceAfter)}`;
  const to = `${target.id} ${percent(effect.targetBefore)} to ${percent(effect.targetAfter)}`;
  return `${resource === "cpu" ? "CPU" : "Memory"}: ${from}, ${to}; it uses ${cores(cpuCores)} and ${bytes(memoryBytes)}.`;
}
