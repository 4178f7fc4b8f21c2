import { wayToLevel } from "../balance/find-way.js";
import { byWorth, isAwaited, whyNotNow } from "../balance/follow-way.js";
import { shift } from "../balance/gain.js";
import { type Levels, measureLevels } from "../balance/levels.js";
import { findTrouble } from "../balance/trouble.js";
import type { Step } from "../balance/way.js";
import { isSavingPower } from "../consolidate/policy.js";
import type { JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { isWorthItsCost } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { isHalted } from "../stages/gates.js";
import { amountOf, arriveAt, burdenedRatio, capacityOf, changeOf, gainOf } from "../stages/score.js";
import { type Choice, discountOf, type Relief, shareOf, whyNotWorthwhile } from "./choose-move.js";
import { makeWay } from "./make-way.js";

interface Relieving {
  reliefOf(source: NodeView): Relief | null;
  enter(choice: Choice, relief: Relief): void;
}

/**
 * Where the fleet is to be levelled as well, hot nodes are relieved by the moves that level it, as far as these may begin now: one workload is moved
 * once, and no resource is relieved at the expense of another. Returns what is left for a node that needs no more than to wait for the rest of it.
 */
export function relieveOnWay(hot: readonly NodeView[], relieving: Relieving, context: JudgedContext): Map<NodeView, Step[]> {
  const awaited = new Map<NodeView, Step[]>();
  const levels = levelsToReach(context);
  if (levels === null) return awaited;
  const way = wayToLevel(levels, context);
  const mayMakeRoom = context.config.overload.makeRoom !== false;
  const take = (step: Step) => {
    way.take(step);
    shift(step.candidate, step.target, 1, levels);
  };
  for (const source of hot) {
    for (let relief = relieving.reliefOf(source); relief !== null; relief = relieving.reliefOf(source)) {
      const chosen = chooseAmong(byWorth(way.leaving(source), way, levels, context), relief, context);
      if (chosen === null) break;
      take(chosen.step);
      relieving.enter(chosen.choice, relief);
    }
  }
  for (const source of hot) {
    const relief = isHalted(context) ? null : relieving.reliefOf(source);
    if (relief === null) continue;
    for (const step of mayMakeRoom ? way.leaving(source) : []) {
      if (choiceOf(step, relief, context) !== null) for (const opening of makeWay(step, way, relief, context)) take(opening);
    }
    const waiting = way.leaving(source).filter((step) => isAwaited(step, "overload", context));
    if (isEnough(waiting, relief)) awaited.set(source, waiting);
  }
  way.planned = context.moves.length;
  return awaited;
}

/** Null: balance would do nothing. */
function levelsToReach(context: JudgedContext): Levels | null {
  const { fleet, config, now } = context;
  if (!config.balance.enabled || isHalted(context) || isSavingPower(fleet.snapshot, config.consolidate, now)) return null;
  const levels = measureLevels(context);
  return findTrouble(levels, context)?.isUneven ? levels : null;
}

function chooseAmong(steps: readonly { readonly step: Step }[], relief: Relief, context: JudgedContext) {
  for (const { step } of steps) {
    const choice = whyNotNow(step, "overload", context) === null ? choiceOf(step, relief, context) : null;
    if (choice !== null) return { step, choice };
  }
  return null;
}

/** Null: it would not gain enough, not even with the rest of the way, or cost more than it relieves. */
function choiceOf({ candidate, target, last }: Step, relief: Relief, context: JudgedContext): Choice | null {
  const { resource, meanRatio } = relief;
  const { ledger, config } = context;
  const effect = arriveAt(changeOf(resource, candidate, ledger), resource, target, burdenedRatio(resource, target, ledger));
  const { gain, share } = gainOf(effect, meanRatio);
  const relieved = shareOf(effect.sourceBefore, effect.sourceAfter, relief);
  if (whyNotWorthwhile(effect, share, relief, context) !== null) {
    const least = config.overload.minimumGainRatio;
    if (relieved < least || effect.targetAfter > effect.sourceBefore || last.gain <= 0 || last.share < least) return null;
  }
  const cost = estimateMoveCost(candidate.workload, candidate.need, candidate.source, target, config.cost);
  if (!isWorthItsCost(relieved, cost, config.cost)) return null;
  return { candidate, target, effect, cost, score: gain * discountOf(cost, config.cost) };
}

/** Whether the node comes below its fix bound once these have left it. */
function isEnough(steps: readonly Step[], { resource, excess }: Relief): boolean {
  const [first] = steps;
  if (first === undefined) return false;
  const amount = steps.reduce((sum, { candidate }) => sum + amountOf(resource, candidate.frees), 0);
  return amount / capacityOf(resource, first.candidate.source) >= excess;
}
