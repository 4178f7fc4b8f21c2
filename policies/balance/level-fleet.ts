import { addMove, addSkip, type JudgedContext } from "../context.js";
import { estimateMoveCosts } from "../cost/move-cost.js";
import { isWorthItsCost } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { enterMove } from "../ledger.js";
import { refuse, refuseAll } from "../sentences.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { isHalted, whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { passingRefusals } from "../stages/refusals.js";
import { Survey } from "../stages/survey.js";
import type { MoveCost, SkipReason } from "../types.js";
import { percent } from "../words.js";
import { wayToLevel } from "./find-way.js";
import { chooseStep, isAwaited, sayAwaited } from "./follow-way.js";
import { gainBetween, shift } from "./gain.js";
import { type Levels, measureLevels, RESOURCES, unevenness } from "./levels.js";
import { findTrouble, isTroubled, mends, type Trouble } from "./trouble.js";
import type { Way } from "./way.js";

interface Choice {
  readonly candidate: Candidate;
  readonly target: NodeView;
  readonly gain: number;
  readonly cost: MoveCost;
}

/**
 * Levels a fleet in which nothing is in trouble but the load is uneven: a node that has come back empty fills up again.
 * First along a way that weighs the whole fleet, then by greedy descent from the fullest node on, in which every move brings its two nodes
 * nearer to the fleet's mean.
 */
export function levelFleet(context: JudgedContext): void {
  const { balance } = context.config;
  const levels = measureLevels(context);
  const trouble = findTrouble(levels, context);
  if (trouble === null) return;
  // A way for the whole fleet: for single nodes the greedy descent is enough.
  const followed = isHalted(context) || !trouble.isUneven ? null : followWay(levels, context);
  let made = followed?.made ?? 0;
  // Whatever is begun beside a way may take the room that it counts on.
  if (followed?.isWaiting) return;
  let survey: Survey | null = null;
  const sources = new Set([...levels.nodes.keys()].filter((node) => context.verdicts.get(node.id)!.verdict === "level"));
  while (made < balance.movesPerPlan && isTroubled(trouble, levels, balance.stopRatio)) {
    const source = fullest(sources, levels);
    if (source === null) return;
    const best = chooseMove(source, levels, trouble, context);
    if (best === null) {
      if (trouble.isUneven || trouble.outliers.has(source)) {
        survey ??= new Survey(context, "balance");
        explainNode(source, levels, survey, context);
      }
      sources.delete(source);
      // Nothing can begin anywhere: one node's reasons are those of all.
      if (isHalted(context)) return;
    } else {
      enterChoice(best, levels, context);
      survey = null;
      made++;
    }
  }
}

/** Begins what may begin of the way. Returns how many moves, and whether others wait for no more than moves under way. */
function followWay(levels: Levels, context: JudgedContext): { readonly made: number; readonly isWaiting: boolean } {
  const way = wayToLevel(levels, context);
  let made = 0;
  for (let gained = 0; made < context.config.balance.movesPerPlan; made++) {
    const chosen = chooseStep(way, gained, levels, context);
    if (chosen === null) break;
    const { step, now, isGain, cost } = chosen;
    way.take(step);
    gained += now.gain;
    enterChoice({ ...step, gain: now.gain, cost }, levels, context, isGain ? null : way);
  }
  // Where nothing may begin anywhere, everything waits for that alone.
  if (isHalted(context)) return { made, isWaiting: false };
  const awaited = way.left().filter((step) => isAwaited(step, "balance", context));
  for (const step of awaited) sayAwaited(step, "balance", context);
  return { made, isWaiting: awaited.length > 0 };
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
  const costOf = estimateMoveCosts(workload, need, source, config.cost);
  let chosen = best;
  for (const target of targets) {
    if (target === source) continue;
    const { gain, share, gap } = gainBetween(candidate, target, levels);
    if (gain <= (chosen?.gain ?? 0) || share < config.balance.minimumGainRatio) continue;
    if (whyNotThere(workload, need, target, context) ?? whyNotElse(target, context)) continue;
    const cost = costOf(target);
    if (isWorthItsCost(share * gap, cost, config.cost)) chosen = { candidate, target, gain, cost };
  }
  return chosen;
}

function whyNotElse(target: NodeView, context: JudgedContext): SkipReason | null {
  return whyNotLevelTo(target, context) ?? whyNotArrive(context, target.id, "balance");
}

function enterChoice({ candidate, target, cost }: Choice, levels: Levels, context: JudgedContext, forWay: Way | null = null): void {
  const { workload, need, source } = candidate;
  const before = unevenness(levels);
  shift(candidate, target, 1, levels);
  enterMove(context.ledger, workload, need, target);
  context.ledger.levellingMoves++;
  const distance = `distance from level ${percent(before)} to ${percent(unevenness(levels))}`;
  const because =
    forWay === null
      ? `Evens the fleet out: ${distance}.`
      : `Evens the fleet out with others that count on it: ${distance}, and to ${percent(forWay.endDistance)} in the end.`;
  addMove(context, { workload: workload.id, from: source.id, to: target.id, reason: "balance", because, cost });
}

/** Each workload of a node that is too full, and yet nothing (more) can leave it. */
function explainNode(source: NodeView, levels: Levels, survey: Survey, context: JudgedContext): void {
  const { fleet, config, now } = context;
  for (const candidate of levelCandidates(source, fleet, config, now)) {
    const { workload } = candidate;
    const halt = "reason" in candidate ? candidate.reason : whyNotStart(context, workload, "balance");
    if (halt !== null || "reason" in candidate) {
      addSkip(context, refuse(workload, halt!, config, now));
      continue;
    }
    const refusals = survey.refusalsOf(workload, candidate.need, (target, position) => {
      const busy = survey.whyNotArrive(position);
      if (busy !== null) return busy;
      if (!levels.nodes.has(target)) return "target-settling";
      return gainBetween(candidate, target, levels).share < config.balance.minimumGainRatio ? "gain-too-small" : "cost-too-high";
    });
    addSkip(context, refuseAll(workload, passingRefusals(refusals) ?? refusals, config));
  }
}
