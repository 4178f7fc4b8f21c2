import type { JudgedContext, Resource } from "../context.js";
import type { CostConfig } from "../cost/config.js";
import { estimateMoveCosts } from "../cost/move-cost.js";
import { isWorthItsCost, priceOf } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { refuseAll, refuseEverywhere } from "../sentences.js";
import type { Candidate } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { whyNotArrive } from "../stages/gates.js";
import { passingRefusals } from "../stages/refusals.js";
import { arriveAt, changeOf, type Effect, gainOf, type SourceChange } from "../stages/score.js";
import type { Survey } from "../stages/survey.js";
import { type Peer, TargetOrder } from "../stages/target-order.js";
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

/** Where anything may go for the sake of relief. */
export interface Targets {
  readonly orderBy: Readonly<Record<Resource, TargetOrder>>;
  /** One for each link that there is: of a target, the cost of a move knows nothing else. */
  readonly links: readonly NodeView[];
}

/** A workload that might leave, and what of its leaving is the same for many targets. */
interface Leaving {
  readonly candidate: Candidate;
  readonly change: SourceChange;
  /** By the cost on the source's own link: near enough to compare workloads. */
  readonly discount: number;
  costTo(target: NodeView): MoveCost;
  isWorth(cost: MoveCost): boolean;
}

/**
 * The move that lowers the imbalance most for what it costs; among equals the one with the least memory to carry. Workloads
 * of higher priority are looked at only when none of lower priority can go.
 */
export function chooseMove(candidates: readonly Candidate[], targets: Targets, relief: Relief, context: JudgedContext): Choice | null {
  const order = targets.orderBy[relief.resource];
  const { links } = targets;
  const priorities = [...new Set(candidates.map(({ workload }) => workload.constraints.priority ?? 0))].sort((a, b) => a - b);
  for (const priority of priorities) {
    let best: Choice | null = null;
    for (const candidate of candidates) {
      if ((candidate.workload.constraints.priority ?? 0) !== priority) continue;
      const leaving = leave(candidate, relief, context);
      // Else every node of a large fleet would be looked at for what is worth moving to none of them.
      if (!links.some((target) => leaving.isWorth(leaving.costTo(target)))) continue;
      for (const peers of order.peers) best = chooseAmongPeers(leaving, peers, best, relief, context);
    }
    if (best !== null) return best;
  }
  return null;
}

function leave(candidate: Candidate, relief: Relief, context: JudgedContext): Leaving {
  const { workload, need, source } = candidate;
  const config = context.config.cost;
  const change = changeOf(relief.resource, candidate, context.ledger);
  const share = shareOf(change.before, change.after, relief);
  const costTo = estimateMoveCosts(workload, need, source, config);
  const discount = discountOf(costTo(source), config);
  return { candidate, change, discount, costTo, isWorth: (cost) => isWorthItsCost(share, cost, config) };
}

export function openTargets(nodes: readonly NodeView[], { ledger }: JudgedContext): Targets {
  return {
    orderBy: { cpu: new TargetOrder(nodes, "cpu", ledger), memory: new TargetOrder(nodes, "memory", ledger) },
    links: [...new Map(nodes.map((target) => [target.state.linkBytesPerSecond, target])).values()],
  };
}

function chooseAmongPeers(
  { candidate, change, discount, costTo, isWorth }: Leaving,
  peers: readonly Peer[],
  best: Choice | null,
  relief: Relief,
  context: JudgedContext,
): Choice | null {
  const { workload, need } = candidate;
  for (const { node: target, ratio } of peers) {
    const effect = arriveAt(change, relief.resource, target, ratio);
    const { gain, share } = gainOf(effect, relief.meanRatio);
    const score = gain * discount;
    if (gain <= 0) break;
    if (best !== null && (score < best.score || (score === best.score && need.memoryBytes >= best.candidate.need.memoryBytes))) break;
    if (whyNotWorthwhile(effect, share, relief, context) !== null || whyNotArrive(context, target.id, "overload") !== null) continue;
    const cost = costTo(target);
    if (!isWorth(cost)) continue;
    const refusal = whyNotThere(workload, need, target, context);
    // The others of this capacity are fuller still, unless it is only images on their way that fill this one.
    const isFull = refusal === (relief.resource === "cpu" ? "target-cpu-full" : "target-memory-full");
    if (isFull && context.ledger.accounts.get(target.id)!.arrivingImageBytes === 0) break;
    if (refusal === null) return { candidate, target, effect, cost, score };
  }
  return best;
}

/** Half when the move costs as much as the whole horizon is worth. */
export function discountOf(cost: MoveCost, config: CostConfig): number {
  return config.horizonSeconds === 0 ? 1 : 1 / (1 + priceOf(cost, config) / config.horizonSeconds);
}

/** The share of the excess that the move takes away. */
export function shareOf(before: number, after: number, { fixRatio, excess }: Relief): number {
  return (before - Math.max(after, fixRatio)) / excess;
}

/**
 * A move must gain enough on its two nodes, or take enough of the excess away: a large node full of small workloads is
 * relieved by many moves, none of which gains much.
 */
export function whyNotWorthwhile(effect: Effect, share: number, relief: Relief, { config }: JudgedContext): SkipReason | null {
  const least = config.overload.minimumGainRatio;
  const isEnough =
    share > 0 &&
    (share >= least || shareOf(effect.sourceBefore, effect.sourceAfter, relief) >= least) &&
    effect.targetAfter <= effect.sourceBefore;
  return isEnough ? null : "gain-too-small";
}

/** Null: some target is worth it, or there is none at all. Else no target needs to be looked at. */
function explainPrice(candidate: Candidate, { links }: Targets, relief: Relief, context: JudgedContext): Skip | null {
  const { change, costTo, isWorth } = leave(candidate, relief, context);
  const costs = links.map(costTo);
  if (costs.length === 0 || costs.some(isWorth)) return null;
  const price = (cost: MoveCost) => priceOf(cost, context.config.cost);
  const cheapest = costs.reduce((a, b) => (price(b) < price(a) ? b : a));
  const share = shareOf(change.before, change.after, relief);
  const reason = share < context.config.overload.minimumGainRatio ? "gain-too-small" : "cost-too-high";
  return refuseEverywhere(candidate.workload, reason, cheapest, share);
}

/** Why none of the targets will do. */
export function explainStay(candidate: Candidate, targets: Targets, relief: Relief, survey: Survey, context: JudgedContext): Skip {
  const tooDear = explainPrice(candidate, targets, relief, context);
  if (tooDear !== null) return tooDear;
  const { workload, need } = candidate;
  const { resource, meanRatio } = relief;
  const change = changeOf(resource, candidate, context.ledger);
  const refusals = survey.refusalsOf(workload, need, (target, position) => {
    const effect = arriveAt(change, resource, target, survey.burdenedRatio(resource, position));
    const { share } = gainOf(effect, meanRatio);
    return whyNotWorthwhile(effect, share, relief, context) ?? survey.whyNotArrive(position) ?? "cost-too-high";
  });
  return refuseAll(workload, passingRefusals(refusals) ?? refusals, context.config);
}
