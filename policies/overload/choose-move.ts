import type { JudgedContext, Resource } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { isWorthItsCost, priceOf } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { refuseAll } from "../sentences.js";
import type { Candidate } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { whyNotArrive } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { addRefusal, openRefusals, passingRefusals } from "../stages/refusals.js";
import { arriveAt, burdenedRatio, changeOf, type Effect, gainOf, type SourceChange } from "../stages/score.js";
import { orderTargets, type Peer } from "../stages/target-order.js";
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
  peers: readonly Peer[],
  best: Choice | null,
  relief: Relief,
  context: JudgedContext,
): Choice | null {
  const { workload, need, source } = candidate;
  // The cost on the source's own link: near enough to compare workloads, and the same for every target.
  const discount = discountOf(estimateMoveCost(workload, need, source, source, context.config.cost), context);
  const change = changeOf(relief.resource, candidate, context.ledger);
  for (const { node: target, ratio } of peers) {
    const effect = arriveAt(change, relief.resource, target, ratio);
    const { gain, share } = gainOf(effect, relief.meanRatio);
    const score = gain * discount;
    if (gain <= 0) break;
    if (best !== null && (score < best.score || (score === best.score && need.memoryBytes >= best.candidate.need.memoryBytes))) break;
    if (whyNotWorthwhile(effect, share, relief, context) !== null || whyNotArrive(context, target.id, "overload") !== null) continue;
    const refusal = whyNotThere(workload, need, target, context);
    // The others of this capacity are fuller still, unless it is only images on their way that fill this one.
    const isFull = refusal === (relief.resource === "cpu" ? "target-cpu-full" : "target-memory-full");
    if (isFull && context.ledger.accounts.get(target.id)!.arrivingImageBytes === 0) break;
    if (refusal !== null) continue;
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

/**
 * A move must gain enough on its two nodes, or take enough of the excess away: a large node full of small workloads is
 * relieved by many moves, none of which gains much.
 */
function whyNotWorthwhile(effect: Effect, share: number, relief: Relief, { config }: JudgedContext): SkipReason | null {
  const least = config.overload.minimumGainRatio;
  const isEnough = share > 0 && (share >= least || reliefOf(effect, relief) >= least) && effect.targetAfter <= effect.sourceBefore;
  return isEnough ? null : "gain-too-small";
}

/** Why none of the targets will do. */
export function explainStay(candidate: Candidate, relief: Relief, context: JudgedContext): Skip {
  const { workload, need, source } = candidate;
  const change = changeOf(relief.resource, candidate, context.ledger);
  const refusals = openRefusals();
  for (const target of context.fleet.nodes) {
    if (target === source) continue;
    addRefusal(
      refusals,
      target,
      whyNotThere(workload, need, target, context) ?? whyNotLevelTo(target, context) ?? whyNotChosen(change, target, relief, context),
    );
  }
  return refuseAll(workload, passingRefusals(refusals) ?? refusals, context.config);
}

function whyNotChosen(change: SourceChange, target: NodeView, relief: Relief, context: JudgedContext): SkipReason {
  const effect = arriveAt(change, relief.resource, target, burdenedRatio(relief.resource, target, context.ledger));
  const { share } = gainOf(effect, relief.meanRatio);
  return whyNotWorthwhile(effect, share, relief, context) ?? whyNotArrive(context, target.id, "overload") ?? "cost-too-high";
}
