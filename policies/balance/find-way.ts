import type { JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { levelFleet } from "../level/level-fleet.js";
import type { Temperatures } from "../level/trade-moves.js";
import type { Use } from "../need.js";
import { add, isNothing, lackOn, roomComing } from "../room/lack.js";
import { gainBetween, shift } from "./gain.js";
import { copyOf, type Levels, unevenness } from "./levels.js";
import { type Step, Way } from "./way.js";
import { type Barred, buildWayModel, describeFleet, type WaySpec } from "./way-model.js";

type Suggestion = Pick<Step, "candidate" | "target">;

/** How often is searched again without the moves that had no room, where these are more than so many of all. */
const ROUNDS = 3;
const MISFIT_SHARE = 0.02;
const LEAST_GAIN = 0.01;
/** How long the optimiser trades moves for better ones: for each pair of node and workload that may move, and at most about 0.1 s. */
const PROPOSALS_PER_PAIR = 200;
const MOST_PROPOSALS = 300_000;
/** Warm enough to leave moves out again that the descent has made: each has a price. */
const TEMPERATURES: Temperatures = { warm: 0.03, cold: 0.001 };

/** The one that was found for this plan, unless anything else has been planned since. */
export function wayToLevel(levels: Levels, context: JudgedContext): Way {
  if (context.way === null || context.way.planned !== context.moves.length) context.way = findWay(levels, context);
  return context.way;
}

function findWay(levels: Levels, context: JudgedContext): Way {
  const spec = describeFleet(levels, context);
  const barred = new Map<string, Set<NodeView>>();
  for (let round = 1; ; round++) {
    const suggested = search(spec, barred, round);
    const misfits = withoutRoom(suggested, context);
    if (round === ROUNDS || misfits.size <= MISFIT_SHARE * suggested.length) {
      const fitting = suggested.filter((suggestion) => !misfits.has(suggestion));
      return judge(fitting, levels, context);
    }
    for (const { candidate, target } of misfits) {
      const known = barred.get(candidate.workload.id) ?? new Set();
      barred.set(candidate.workload.id, known.add(target));
    }
  }
}

function search(spec: WaySpec, barred: Barred, seed: number): Suggestion[] {
  const { nodes, candidates } = spec;
  const model = buildWayModel(spec, barred);
  const movable = candidates.filter((_, workload) => model.moveCost[workload] !== Number.POSITIVE_INFINITY).length;
  const proposals = Math.min(MOST_PROPOSALS, PROPOSALS_PER_PAIR * movable * nodes.length);
  const options = { seed, maxMoves: candidates.length, minGain: LEAST_GAIN, proposals, temperatures: TEMPERATURES };
  const moves = levelFleet(model, options);
  return moves.map(({ workload, to }) => ({ candidate: candidates[workload]!, target: nodes[to]! }));
}

/**
 * Made one after the other, those that would not have room: by what each needs on its new node and while it moves, and what its old one is sure
 * to be rid of. The model knows but one size of each.
 */
function withoutRoom(suggested: readonly Suggestion[], context: JudgedContext): Set<Suggestion> {
  const left = new Map<NodeView, Use>();
  const leftOn = (node: NodeView) => left.get(node) ?? roomComing(node, context);
  const misfits = new Set<Suggestion>();
  for (const suggestion of suggested) {
    const { need, frees, source } = suggestion.candidate;
    const { target } = suggestion;
    if (isNothing(lackOn(target, need, leftOn(target), context))) {
      left.set(target, add(leftOn(target), { cpuCores: -need.cpuCores, memoryBytes: -need.memoryBytes }));
      left.set(source, add(leftOn(source), frees));
    } else misfits.add(suggestion);
  }
  return misfits;
}

function judge(suggested: readonly Suggestion[], levels: Levels, context: JudgedContext): Way {
  const end = copyOf(levels);
  for (const { candidate, target } of suggested) shift(candidate, target, 1, end);
  const endDistance = unevenness(end);
  const steps = suggested.map((suggestion): Step => {
    const { candidate, target } = suggestion;
    shift(candidate, target, -1, end);
    const last = gainBetween(candidate, target, end);
    shift(candidate, target, 1, end);
    return { ...suggestion, last };
  });
  return new Way(steps, endDistance, context.moves.length);
}
