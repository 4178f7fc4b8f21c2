import { whyNotNow } from "../balance/follow-way.js";
import type { Step, Way } from "../balance/way.js";
import type { JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { priceOf } from "../cost/worth.js";
import { beginIfPossible } from "../room/begin.js";
import { FULL } from "../room/find-way.js";
import { add, isNothing, lackOn, roomComing } from "../room/lack.js";
import type { Candidate } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { changeOf } from "../stages/score.js";
import { bytes, cores } from "../words.js";
import { type Relief, shareOf } from "./choose-move.js";

/** Begins what leaves the target on the way, where that is enough for the step to follow, and worth it together with the step. Returns what was begun. */
export function makeWay(step: Step, way: Way, relief: Relief, context: JudgedContext): Step[] {
  const { candidate, target } = step;
  const openings = openingsFor(step, way, context);
  const change = changeOf(relief.resource, candidate, context.ledger);
  const { cost } = context.config;
  const price = [step, ...openings].reduce((sum, each) => sum + priceOfStep(each, context), 0);
  if (cost.horizonSeconds > 0 && shareOf(change.before, change.after, relief) * cost.horizonSeconds < price) return [];
  return openings.filter((opening) => {
    const { workload, need, frees } = opening.candidate;
    const what = `it uses ${cores(frees.cpuCores)} and ${bytes(need.memoryBytes)}`;
    const why = `Makes room on ${target.id} for ${candidate.workload.name}, which ${candidate.source.id} must lose; ${what}.`;
    return !context.spoken.has(workload.id) && beginIfPossible({ guest: opening.candidate, target: opening.target }, "room", why, context);
  });
}

/** None: there is room, or not enough of it with these. */
function openingsFor({ candidate, target }: Step, way: Way, context: JudgedContext): Step[] {
  const { workload, need } = candidate;
  if (!FULL.has(whyNotThere(workload, need, target, context))) return [];
  let room = roomComing(target, context);
  const isEnough = () => isNothing(lackOn(target, need, room, context));
  const openings: Step[] = [];
  for (const opening of way.leaving(target)) {
    if (isEnough()) break;
    // Nobody moves out of the way of one that matters less.
    if (priorityOf(opening.candidate) > priorityOf(candidate) || whyNotNow(opening, "room", context) !== null) continue;
    openings.push(opening);
    room = add(room, opening.candidate.frees);
  }
  return isEnough() ? openings : [];
}

function priorityOf({ workload }: Candidate): number {
  return workload.constraints.priority ?? 0;
}

function priceOfStep({ candidate: { workload, need, source }, target }: Step, { config: { cost } }: JudgedContext): number {
  return priceOf(estimateMoveCost(workload, need, source, target, cost), cost);
}
