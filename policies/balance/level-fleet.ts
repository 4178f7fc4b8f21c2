import { addMove, addSkip, type JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { isWorthItsCost } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { enterMove } from "../ledger.js";
import { refuse, refuseAll } from "../sentences.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { addRefusal, openRefusals, passingRefusals } from "../stages/refusals.js";
import { amountOf, capacityOf, farthest } from "../stages/score.js";
import type { MoveCost, SkipReason } from "../types.js";
import { percent } from "../words.js";
import { type Levels, measureLevels, RESOURCES, unevenness } from "./levels.js";
import { proposeMoves } from "./propose.js";
import { findTrouble, isTroubled, mends, type Trouble } from "./trouble.js";

interface Choice {
  readonly candidate: Candidate;
  readonly target: NodeView;
  readonly gain: number;
  readonly cost: MoveCost;
}

/**
 * Levels a fleet in which nothing is in trouble but the load is uneven: a node that has come back empty fills up again.
 * Greedy descent from the fullest node on; every move brings its two nodes nearer to the fleet's mean.
 */
export function levelFleet(context: JudgedContext): void {
  const { balance } = context.config;
  const levels = measureLevels(context);
  const trouble = findTrouble(levels, context);
  if (trouble === null) return;
  // The optimiser weighs the whole fleet: for single nodes the greedy descent is enough.
  let made = isHalted(context) || !trouble.isUneven ? 0 : enterProposals(levels, trouble, context);
  const sources = new Set([...levels.nodes.keys()].filter((node) => context.verdicts.get(node.id)!.verdict === "level"));
  while (made < balance.movesPerPlan && isTroubled(trouble, levels, balance.stopRatio)) {
    const source = fullest(sources, levels);
    if (source === null) return;
    const best = chooseMove(source, levels, trouble, context);
    if (best === null) {
      if (trouble.isUneven || trouble.outliers.has(source)) explainNode(source, levels, context);
      sources.delete(source);
      // Nothing can begin anywhere: one node's reasons are those of all.
      if (isHalted(context)) return;
    } else {
      enterChoice(best, levels, context);
      made++;
    }
  }
}

function isHalted({ ledger, limits, budget, fleet }: JudgedContext): boolean {
  const isClosed = fleet.snapshot.windows?.some(({ active, node }) => active && node === null);
  return isClosed === true || ledger.movesUnderWay >= limits.fleet || ledger.levellingMoves >= budget;
}

/** Those of the optimiser's moves that pass, the best first. Returns how many. */
function enterProposals(levels: Levels, trouble: Trouble, context: JudgedContext): number {
  const { movesPerPlan, stopRatio } = context.config.balance;
  const gains = proposeMoves(levels, movesPerPlan, context).map(({ candidate, target }) => ({
    candidate,
    target,
    gain: gainOf(candidate, target, levels).gain,
  }));
  let made = 0;
  for (const { candidate, target } of gains.sort((a, b) => b.gain - a.gain)) {
    if (!isTroubled(trouble, levels, stopRatio)) break;
    if (whyNotStart(context, candidate.workload, "balance") !== null) continue;
    const choice = chooseAmong(candidate, [target], null, levels, context);
    if (choice === null) continue;
    enterChoice(choice, levels, context);
    made++;
  }
  return made;
}

/** The node furthest above the mean, over all resources. */
function fullest(sources: ReadonlySet<NodeView>, { nodes, mean, weight }: Levels): NodeView | null {
  let best: NodeView | null = null;
  let most = 0;
  for (const node of sources) {
    const { low } = nodes.get(node)!;
    const excess = RESOURCES.reduce((sum, resource) => sum + weight[resource] * Math.max(0, low[resource] - mean[resource]), 0);
    if (excess > most) {
      best = node;
      most = excess;
    }
  }
  return best;
}

function chooseMove(source: NodeView, levels: Levels, trouble: Trouble, context: JudgedContext): Choice | null {
  const { fleet, config, now } = context;
  const targets = [...levels.nodes.keys()].filter((target) => mends(trouble, source, target));
  let best: Choice | null = null;
  for (const candidate of levelCandidates(source, fleet, config, now)) {
    if ("reason" in candidate || context.spoken.has(candidate.workload.id)) continue;
    if (whyNotStart(context, candidate.workload, "balance") !== null) continue;
    best = chooseAmong(candidate, targets, best, levels, context);
  }
  return best;
}

/** The target from which the workload's move gains most, if it gains more than the best so far. */
function chooseAmong(
  candidate: Candidate,
  targets: Iterable<NodeView>,
  best: Choice | null,
  levels: Levels,
  context: JudgedContext,
): Choice | null {
  const { workload, need, source } = candidate;
  const { config } = context;
  let chosen = best;
  for (const target of targets) {
    if (target === source) continue;
    const { gain, share } = gainOf(candidate, target, levels);
    if (gain <= (chosen?.gain ?? 0) || share < config.balance.minimumGainRatio) continue;
    if (whyNotThere(workload, need, target, context) ?? whyNotElse(target, context)) continue;
    const cost = estimateMoveCost(workload, need, source, target, config.cost);
    if (isWorthItsCost(share * gapOf(source, target, levels), cost, config.cost)) chosen = { candidate, target, gain, cost };
  }
  return chosen;
}

function whyNotElse(target: NodeView, context: JudgedContext): SkipReason | null {
  return whyNotLevelTo(target, context) ?? whyNotArrive(context, target.id, "balance");
}

/** How much nearer to the mean the two nodes come, squared and weighted; `share` is its part of their distance before. */
function gainOf(
  { source, need, frees }: Candidate,
  target: NodeView,
  { nodes, mean, weight }: Levels,
): { readonly gain: number; readonly share: number } {
  const from = nodes.get(source)!.low;
  const to = nodes.get(target)!.high;
  let before = 0;
  let after = 0;
  for (const resource of RESOURCES) {
    before += weight[resource] * ((from[resource] - mean[resource]) ** 2 + (to[resource] - mean[resource]) ** 2);
    const sourceAfter = from[resource] - amountOf(resource, frees) / capacityOf(resource, source);
    const targetAfter = to[resource] + amountOf(resource, need) / capacityOf(resource, target);
    const targetAtLeast = to[resource] + amountOf(resource, frees) / capacityOf(resource, target);
    const targetDistance = farthest(targetAfter, targetAtLeast, mean[resource]);
    after += weight[resource] * ((sourceAfter - mean[resource]) ** 2 + targetDistance ** 2);
  }
  return { gain: before - after, share: before > 0 ? (before - after) / before : 0 };
}

/** The largest difference between the two nodes: what there is to gain at all. */
function gapOf(source: NodeView, target: NodeView, { nodes }: Levels): number {
  return Math.max(...RESOURCES.map((resource) => nodes.get(source)!.low[resource] - nodes.get(target)!.high[resource]), 0);
}

function enterChoice({ candidate, target, cost }: Choice, levels: Levels, context: JudgedContext): void {
  const { workload, need, frees, source } = candidate;
  const before = unevenness(levels);
  for (const resource of RESOURCES) {
    for (const band of ["low", "middle", "high"] as const) {
      levels.nodes.get(source)![band][resource] -= amountOf(resource, frees) / capacityOf(resource, source);
      levels.nodes.get(target)![band][resource] += amountOf(resource, band === "high" ? need : frees) / capacityOf(resource, target);
    }
  }
  enterMove(context.ledger, workload, need, target);
  context.ledger.levellingMoves++;
  const because = `Evens the fleet out: distance from level ${percent(before)} to ${percent(unevenness(levels))}.`;
  addMove(context, { workload: workload.id, from: source.id, to: target.id, reason: "balance", because, cost });
}

/** Each workload of a node that is too full, and yet nothing (more) can leave it. */
function explainNode(source: NodeView, levels: Levels, context: JudgedContext): void {
  const { fleet, config, now } = context;
  for (const candidate of levelCandidates(source, fleet, config, now)) {
    const { workload } = candidate;
    const halt = "reason" in candidate ? candidate.reason : whyNotStart(context, workload, "balance");
    if (halt !== null || "reason" in candidate) {
      addSkip(context, refuse(workload, halt!, config, now));
      continue;
    }
    const refusals = openRefusals();
    for (const target of fleet.nodes) {
      if (target === source) continue;
      const constraint = whyNotThere(workload, candidate.need, target, context) ?? whyNotElse(target, context);
      const isLevelled = constraint === null && levels.nodes.has(target);
      const isTooLittle = isLevelled && gainOf(candidate, target, levels).share < config.balance.minimumGainRatio;
      addRefusal(refusals, target, constraint ?? (isTooLittle ? "gain-too-small" : isLevelled ? "cost-too-high" : "target-settling"));
    }
    addSkip(context, refuseAll(workload, passingRefusals(refusals) ?? refusals, config));
  }
}
