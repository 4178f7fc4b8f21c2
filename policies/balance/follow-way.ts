import { addSkip, type JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { isWorthItsCost } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { waitFor } from "../room/begin.js";
import { FULL } from "../room/find-way.js";
import { isRoomComing } from "../room/lack.js";
import { refuse, refuseTarget } from "../sentences.js";
import { whyNotThere } from "../stages/feasible.js";
import { LATER, whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import type { MoveCost, MoveReason, SkipReason } from "../types.js";
import { type Gain, gainBetween } from "./gain.js";
import type { Levels } from "./levels.js";
import type { Step, Way } from "./way.js";

/** A step that may begin. */
export interface Chosen {
  readonly step: Step;
  readonly now: Gain;
  /** False: by itself it gains too little, or nothing; with the rest of the way it does. */
  readonly isGain: boolean;
  readonly cost: MoveCost;
}

/** Steps that gain most, themselves and by the room that they leave for others of the way, come first. */
export function byWorth(
  steps: readonly Step[],
  way: Way,
  levels: Levels,
  context: JudgedContext,
): { readonly step: Step; readonly now: Gain }[] {
  const opening = new Map<NodeView, number>();
  for (const { candidate } of steps)
    if (!opening.has(candidate.source)) opening.set(candidate.source, gainOfBlocked(candidate.source, way, context));
  return steps
    .map((step) => {
      const now = gainBetween(step.candidate, step.target, levels);
      return { step, now, worth: now.gain + opening.get(step.candidate.source)! };
    })
    .sort((a, b) => b.worth - a.worth);
}

/** What those gain that are to come to a node and have no room there yet. */
function gainOfBlocked(node: NodeView, way: Way, context: JudgedContext): number {
  return way.arriving(node).reduce((sum, { candidate, last }) => {
    const isBlocked = FULL.has(whyNotThere(candidate.workload, candidate.need, node, context));
    return isBlocked ? sum + Math.max(0, last.gain) : sum;
  }, 0);
}

/** The best that may begin now for the sake of balance. `gained`: by the moves for balance of this plan; all together are to bring the fleet nearer to level. */
export function chooseStep(way: Way, gained: number, levels: Levels, context: JudgedContext): Chosen | null {
  const { minimumGainRatio } = context.config.balance;
  const takesPart = ({ candidate: { source }, target }: Step) =>
    levels.nodes.has(source) && levels.nodes.has(target) && context.verdicts.get(source.id)!.verdict === "level";
  const { cost: costConfig } = context.config;
  for (const { step, now } of byWorth(way.left().filter(takesPart), way, levels, context)) {
    const { candidate, target, last } = step;
    const isGain = now.gain > 0 && now.share >= minimumGainRatio;
    const by = isGain ? now : last;
    if (by.gain <= 0 || by.share < minimumGainRatio || gained + now.gain <= 0) continue;
    if (whyNotNow(step, "balance", context) !== null) continue;
    const cost = estimateMoveCost(candidate.workload, candidate.need, candidate.source, target, costConfig);
    if (isWorthItsCost(by.share * by.gap, cost, costConfig)) return { step, now, isGain, cost };
  }
  return null;
}

export function whyNotNow({ candidate, target }: Step, reason: MoveReason, context: JudgedContext): SkipReason | null {
  const { workload, need } = candidate;
  if (context.spoken.has(workload.id)) return "not-needed";
  return (
    whyNotStart(context, workload, reason) ??
    whyNotThere(workload, need, target, context) ??
    whyNotLevelTo(target, context) ??
    whyNotArrive(context, target.id, reason)
  );
}

/** Whether it has to wait for no more than moves that are planned, under way and sure to end, or just done. */
export function isAwaited(step: Step, reason: MoveReason, context: JudgedContext): boolean {
  const refusal = whyNotNow(step, reason, context);
  if (refusal === null) return false;
  if (FULL.has(refusal)) return isRoomComing(step.target, step.candidate.need, context);
  if (refusal === "target-settling") return true;
  return (LATER.has(refusal) || refusal === "target-busy") && !isStuck(step, refusal, context);
}

/** Whether what it waits for may be a move of which an end is not heard, node or executor: that one is open until it is back or forgotten. */
function isStuck({ candidate, target }: Step, refusal: SkipReason, { fleet }: JudgedContext): boolean {
  const isHeard = (id: string) => {
    const node = fleet.nodeById.get(id);
    return node !== undefined && node.load !== null && !node.state.executorSilent;
  };
  return fleet.migrations.some(({ from, to }) => {
    if (isHeard(from) && isHeard(to)) return false;
    const busy = refusal === "source-busy" ? candidate.source : refusal === "target-busy" ? target : null;
    return busy === null || busy.id === from || busy.id === to;
  });
}

export function sayAwaited(step: Step, reason: MoveReason, context: JudgedContext): void {
  const { candidate, target } = step;
  const { config, now } = context;
  const refusal = whyNotNow(step, reason, context);
  if (refusal === null) return;
  const skip = () => {
    if (FULL.has(refusal)) return waitFor(candidate, target, "it goes there once what leaves has left");
    if (LATER.has(refusal)) return refuse(candidate.workload, refusal, config, now);
    return refuseTarget(candidate.workload, target, refusal, config);
  };
  addSkip(context, skip());
}
