import type { JudgedContext } from "../../context.js";
import { estimateMoveCost } from "../../cost/move-cost.js";
import { priceOf } from "../../cost/worth.js";
import type { NodeView } from "../../fleet.js";
import type { Use } from "../../need.js";
import type { Departure } from "../../room/find-way.js";
import { add, isNothing, lackOn, roomBeingLeft, roomComing } from "../../room/lack.js";
import type { SearchModel } from "../../search/model.js";
import { type OrderedMove, orderMoves } from "../../search/order.js";
import { solve } from "../../search/solve.js";
import { SearchState } from "../../search/state.js";
import { amountOf, capacityOf, relievedRatio } from "../../stages/score.js";
import { buildChainModel, type ChainModel, type ChainTask, pairOf } from "./chain-model.js";

/** Proposals looked at for each pair of workload and node, and at most. */
const STEPS_PER_PAIR = 400;
const LEAST_STEPS = 10_000;
const MOST_STEPS = 30_000;
/** One after the other, until something is found that can be put in order. */
const SEEDS = [1, 2, 3];
/** The hot node's place in the model. */
const HOT = 0;
/** A way of more moves is not begun: too much may change meanwhile. */
const MOST_MOVES = 6;

export interface Chain {
  /** In the order in which they are to be made: each has room once those before it are done. Some leave the hot node, the others make room. */
  readonly departures: readonly Departure[];
  /** False: it counts on room that has just been left, and may be in the readings already. */
  readonly isCertain: boolean;
}

/** Null: there is no way that is worth its cost. */
export function findChain(task: ChainTask, context: JudgedContext): Chain | null {
  const barred = new Set<string>();
  let built = buildChainModel(task, barred, context);
  const { model } = built;
  const steps = Math.min(MOST_STEPS, Math.max(LEAST_STEPS, STEPS_PER_PAIR * model.workloads * model.nodes));
  const maxMoves = Math.min(MOST_MOVES, context.budget - context.ledger.levellingMoves);
  for (const seed of SEEDS) {
    const departures = search(built, { seed, steps, maxMoves });
    const misfit = firstWithoutRoom(departures, roomComing, context);
    if (misfit !== null) {
      barred.add(pairOf(misfit.guest, misfit.target));
      built = buildChainModel(task, barred, context);
    } else if (isWorthIt(departures, task, context)) {
      return { departures, isCertain: firstWithoutRoom(departures, roomBeingLeft, context) === null };
    }
  }
  return null;
}

function search({ model, nodes, candidates }: ChainModel, budget: { seed: number; steps: number; maxMoves: number }): Departure[] {
  const { assignment } = solve(model, { ...budget, heat: "full" });
  const order = withoutIdle(model, firstLegs(orderMoves(model, assignment).steps));
  return order.map(({ workload, to }) => ({ guest: candidates[workload]!, target: nodes[to]! }));
}

/**
 * Made one after the other, the first that would not have room: by what each needs on its new node and while it moves, and what its old one is sure
 * to be rid of. The model knows but one size of each.
 */
function firstWithoutRoom(
  departures: readonly Departure[],
  left: (node: NodeView, context: JudgedContext) => Use,
  context: JudgedContext,
): Departure | null {
  const without = new Map<NodeView, Use>();
  const withoutOn = (node: NodeView) => without.get(node) ?? left(node, context);
  for (const departure of departures) {
    const { need, frees, source } = departure.guest;
    const { target } = departure;
    if (!isNothing(lackOn(target, need, withoutOn(target), context))) return departure;
    without.set(target, add(withoutOn(target), { cpuCores: -need.cpuCores, memoryBytes: -need.memoryBytes }));
    without.set(source, add(withoutOn(source), frees));
  }
  return null;
}

/** What is parked stays where it is parked: it has to rest before it could go on. */
function firstLegs(steps: readonly OrderedMove[]): OrderedMove[] {
  const moved = new Set<number>();
  return steps.filter(({ workload }) => {
    const isFirst = !moved.has(workload);
    moved.add(workload);
    return isFirst;
  });
}

/** Only what can be made in this order, and is needed so that something can leave the hot node. */
function withoutIdle(model: SearchModel, steps: readonly OrderedMove[]): OrderedMove[] {
  const state = new SearchState(model);
  let left = makeable(state, steps);
  for (const step of [...left].reverse()) {
    if (step.from === HOT) continue;
    const without = left.filter((other) => other !== step);
    if (makeable(state, without).length === without.length) left = without;
  }
  return left;
}

/** Those that have room when they are made, one after the other. Leaves the state as it was. */
function makeable(state: SearchState, steps: readonly OrderedMove[]): OrderedMove[] {
  const made = steps.filter(({ workload, to }) => {
    const may = state.mayShift(workload, to);
    if (may) state.shift(workload, to);
    return may;
  });
  for (const { workload, from } of [...made].reverse()) state.shift(workload, from);
  return made;
}

/** The chain as a whole: what it takes of the excess, against the price of all its moves. */
function isWorthIt(departures: readonly Departure[], { leaving, relief }: ChainTask, { config, ledger }: JudgedContext): boolean {
  const { resource, fixRatio, excess } = relief;
  const { source } = leaving[0]!;
  const own = departures.filter(({ guest }) => guest.source === source);
  const amount = own.reduce((sum, { guest }) => sum + amountOf(resource, guest.frees), 0);
  const before = relievedRatio(resource, source, ledger);
  const share = (before - Math.max(fixRatio, before - amount / capacityOf(resource, source))) / excess;
  if (own.length === 0 || share < config.overload.minimumGainRatio) return false;
  const { horizonSeconds } = config.cost;
  const price = departures.reduce((sum, { guest: { workload, need, source: from }, target }) => {
    return sum + priceOf(estimateMoveCost(workload, need, from, target, config.cost), config.cost);
  }, 0);
  return horizonSeconds === 0 || share * horizonSeconds >= price;
}
