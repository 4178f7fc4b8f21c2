import type { JudgedContext, Resource } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { isWorthItsCost, priceOf } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { refuseAll } from "../sentences.js";
import type { Candidate } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { PASSING, whyNotArrive } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { type Effect, effectOf, gainOf } from "../stages/score.js";
import { orderTargets } from "../stages/target-order.js";
import type { MoveCost, Skip, SkipReason } from "../types.js";

/** What a node is to be relieved of. */
export interface Relief {
  readonly resource: Resource;
  readonly meanRatio: number;
  readonly fixRatio: number;
  /** Above the fix bound, as a ratio of capacity. */
  readonly excess: number;
}

export interface Choice {
  readonly candidate: Candidate;
  readonly target: NodeView;
  readonly effect: Effect;
  readonly cost: MoveCost;
  readonly score: number;
}

/**
 * The move that lowers the imbalance most for what it costs; among equals the one with the least memory to carry. Workloads
 * of higher priority are looked at only when none of lower priority can go.
 */
export function chooseMove(
  candidates: readonly Candidate[],
  targets: readonly NodeView[],
  relief: Relief,
  context: JudgedContext,
): Choice | null {
  const order = orderTargets(targets, relief.resource, context.ledger);
  const priorities = [...new Set(candidates.map(({ workload }) => workload.constraints.priority ?? 0))].sort((a, b) => a - b);
  for (const priority of priorities) {
    let best: Choice | null = null;
    for (const candidate of candidates) {
      if ((candidate.workload.constraints.priority ?? 0) !== priority) continue;
      for (const peers of order) best = chooseAmongPeers(candidate, peers, best, relief, context);
    }
    if (best !== null) return best;
  }
  return null;
}

function chooseAmongPeers(
  candidate: Candidate,
  peers: readonly NodeView[],
  best: Choice | null,
  relief: Relief,
  context: JudgedContext,
): Choice | null {
  const { workload, need, source } = candidate;
  // The cost on the source's own link: near enough to compare workloads, and the same for every target.
  const discount = discountOf(estimateMoveCost(workload, need, source, source, context.config.cost), context);
  for (const target of peers) {
    const effect = effectOf(relief.resource, need, source, target, context.ledger);
    const { gain, share } = gainOf(effect, relief.meanRatio);
    const score = gain * discount;
    if (best !== null && (score < best.score || (score === best.score && need.memoryBytes >= best.candidate.need.memoryBytes))) break;
    if (whyNotWorthwhile(effect, share, context) !== null || whyNotArrive(context, target.id, "overload") !== null) continue;
    if (whyNotThere(workload, need, target, context) !== null) continue;
    const cost = estimateMoveCost(workload, need, source, target, context.config.cost);
    if (isWorthItsCost(reliefOf(effect, relief), cost, context.config.cost)) return { candidate, target, effect, cost, score };
  }
  return best;
}

/** Half when the move costs as much as the whole horizon is worth. */
function discountOf(cost: MoveCost, { config }: JudgedContext): number {
  return config.cost.horizonSeconds === 0 ? 1 : 1 / (1 + priceOf(cost, config.cost) / config.cost.horizonSeconds);
}

/** The share of the excess that the move takes away. */
function reliefOf(effect: Effect, { fixRatio, excess }: Relief): number {
  return (effect.sourceBefore - Math.max(effect.sourceAfter, fixRatio)) / excess;
}

function whyNotWorthwhile(effect: Effect, share: number, { config }: JudgedContext): SkipReason | null {
  const isEnough = share > 0 && share >= config.overload.minimumGainRatio && effect.targetAfter <= effect.sourceBefore;
  return isEnough ? null : "gain-too-small";
}

/** Why none of the targets will do. One that is only busy is worth waiting for; what the others say does not matter then. */
export function explainStay(candidate: Candidate, relief: Relief, context: JudgedContext): Skip {
  const { workload, need, source } = candidate;
  const refusals: { target: NodeView; reason: SkipReason }[] = [];
  for (const target of context.fleet.nodes) {
    if (target === source) continue;
    const effect = target.load && effectOf(relief.resource, need, source, target, context.ledger);
    const reason =
      whyNotThere(workload, need, target, context) ??
      whyNotLevelTo(target, context) ??
      whyNotWorthwhile(effect!, gainOf(effect!, relief.meanRatio).share, context) ??
      whyNotArrive(context, target.id, "overload") ??
      "cost-too-high";
    refusals.push({ target, reason });
  }
  const passing = refusals.filter(({ reason }) => PASSING.has(reason));
  return refuseAll(workload, passing.length > 0 ? passing : refusals, context.config);
}
