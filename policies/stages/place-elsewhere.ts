import { addMove, addSkip, type JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import type { NodeView } from "../fleet.js";
import { enterMove } from "../ledger.js";
import { refuse, refuseAll } from "../sentences.js";
import type { MoveReason, Skip, SkipReason } from "../types.js";
import { bytes, percent } from "../words.js";
import type { Candidate } from "./candidates.js";
import { whyNotThere } from "./feasible.js";
import { isForced, whyNotArrive, whyNotStart } from "./gates.js";
import { whyNotLevelTo } from "./level-target.js";
import { addRefusal, openRefusals, passingRefusals } from "./refusals.js";
import { burdenedRatio, capacityOf } from "./score.js";

export interface Wish {
  readonly reason: MoveReason;
  /** The first half of the sentence that explains the move. */
  readonly why: string;
  /** Why not to this one, for the policy's own reasons; absent = any will do. */
  readonly whyNotTo?: (target: NodeView) => SkipReason | null;
}

/** Moves a workload to the node that is then left with the most room, or enters why not. */
export function placeElsewhere(candidate: Candidate, wish: Wish, context: JudgedContext): void {
  const skip = tryToPlace(candidate, wish, context);
  if (skip !== null) addSkip(context, skip);
}

/** The same, but leaves it to the caller to enter why not. Null: it moves, or has been spoken of before. */
export function tryToPlace(candidate: Candidate, wish: Wish, context: JudgedContext): Skip | null {
  const { config, ledger, now } = context;
  const { reason, why } = wish;
  const { workload, need, source } = candidate;
  if (context.spoken.has(workload.id)) return null;
  const halt = whyNotStart(context, workload, reason);
  const { target, refusals } = findPlace(candidate, wish, context, halt === null);
  const passing = passingRefusals(refusals);
  // No place at all is told even while the workload waits its turn: the operator can see to it meanwhile.
  if (target === null && passing === null) return refuseAll(workload, refusals, config);
  if (halt !== null) return refuse(workload, halt, config, now);
  if (target === null) return refuseAll(workload, passing ?? refusals, config);
  const cost = estimateMoveCost(workload, need, source, target, config.cost);
  enterMove(ledger, workload, need, target);
  if (!isForced(reason)) ledger.levellingMoves++;
  const after = `CPU ${percent(burdenedRatio("cpu", target, ledger))}, memory ${percent(burdenedRatio("memory", target, ledger))}`;
  const because = `${why}; ${target.id} then has ${after}; ${bytes(cost.bytes)}${cost.fileBytes === null ? " and its files" : ""} to carry.`;
  addMove(context, { workload: workload.id, from: source.id, to: target.id, reason, because, cost });
  return null;
}

/** The node that is left with the most room, its scarcer resource counted; or just any, where only that matters. */
function findPlace(candidate: Candidate, { reason, whyNotTo }: Wish, context: JudgedContext, best: boolean) {
  const { workload, need, source } = candidate;
  const mustLeave = isForced(reason);
  const refusals = openRefusals();
  let place: NodeView | null = null;
  let bestRatio = Number.POSITIVE_INFINITY;
  for (const target of context.fleet.nodes) {
    if (target === source) continue;
    const refusal =
      whyNotTo?.(target) ??
      whyNotThere(workload, need, target, context, mustLeave) ??
      (mustLeave ? null : whyNotLevelTo(target, context)) ??
      whyNotArrive(context, target.id, reason);
    if (refusal !== null) {
      addRefusal(refusals, target, refusal);
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
