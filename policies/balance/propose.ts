import type { JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { priceOf } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { levelFleet } from "../level/level-fleet.js";
import { buildModel, type ModelSpec } from "../search/build-model.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { cpuCeiling, memoryCeiling } from "../stages/feasible.js";
import { whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import type { Level, Levels } from "./levels.js";

export interface Proposal {
  readonly candidate: Candidate;
  readonly target: NodeView;
}

/** Cost of a node that is 100 % off the mean; what follows is in the same unit. */
const LEVEL_WEIGHT = 1000;
/** Of any move, and of one whose price is the whole horizon. */
const MOVE_COST = 0.05;
const PRICE_COST = 0.2;
const LEAST_GAIN = 0.01;
/** How long the optimiser trades moves for better ones: for each pair of workload and node, and at most about 30 ms. */
const PROPOSALS_PER_PAIR = 50;
const MOST_PROPOSALS = 100_000;
const GIBIBYTE = 2 ** 30;

/**
 * What the optimiser would move, all nodes weighed at once: swaps and better pairs that no node by itself would find. Only
 * suggestions: it knows less of constraints and gates than the engine, which checks each.
 */
export function proposeMoves(levels: Levels, maxMoves: number, context: JudgedContext): Proposal[] {
  const nodes = [...levels.nodes.keys()];
  const index = new Map(nodes.map((node, position) => [node.id, position]));
  const candidates = nodes.flatMap((node) => movable(node, context));
  if (candidates.length === 0) return [];
  const model = buildModel({
    resources: [{ transient: true }, { transient: true }],
    nodes: nodes.map((node) => ({ capacity: roomOf(node, context), closed: isClosed(node, context) })),
    ...workloadsOf(candidates, nodes, index, levels, context),
    levels: [
      { resource: 0, target: levels.mean.cpu / cpuCeiling(context.config), weight: LEVEL_WEIGHT * levels.weight.cpu },
      { resource: 1, target: levels.mean.memory / memoryCeiling(context.config), weight: LEVEL_WEIGHT * levels.weight.memory },
    ],
  });
  const proposals = Math.min(MOST_PROPOSALS, PROPOSALS_PER_PAIR * candidates.length * nodes.length);
  const moves = levelFleet(model, { seed: 1, maxMoves, minGain: LEAST_GAIN, proposals });
  return moves.flatMap((move) => {
    const candidate = candidates[move.workload];
    return candidate ? [{ candidate, target: nodes[move.to]! }] : [];
  });
}

/** What may leave and has no ties that the model cannot express. */
function movable(node: NodeView, context: JudgedContext): Candidate[] {
  if (context.verdicts.get(node.id)!.verdict !== "level") return [];
  return levelCandidates(node, context.fleet, context.config, context.now).filter((entry): entry is Candidate => {
    const { constraints, id } = entry.workload;
    if ("reason" in entry || context.spoken.has(id) || constraints.affinityGroup || constraints.zoneSpreadGroup) return false;
    return whyNotStart(context, entry.workload, "balance") === null;
  });
}

function isClosed(node: NodeView, context: JudgedContext): boolean {
  if (node.state.cordoned || context.suspects.has(node.id)) return true;
  return (whyNotLevelTo(node, context) ?? whyNotArrive(context, node.id, "balance")) !== null;
}

function roomOf({ state }: NodeView, { config }: JudgedContext): number[] {
  return [state.cpuCapacityCores * cpuCeiling(config), (state.memoryCapacityBytes * memoryCeiling(config)) / GIBIBYTE];
}

/** The candidates, and after them for each node one workload that stands for all else there, and never moves. */
function workloadsOf(
  candidates: readonly Candidate[],
  nodes: readonly NodeView[],
  index: ReadonlyMap<string, number>,
  levels: Levels,
  context: JudgedContext,
): Pick<ModelSpec, "workloads" | "groups"> {
  const groups = new Map<string, number>();
  const rest = nodes.map((node) => usedOn(node, levels.nodes.get(node)!, levels));
  const workloads: ModelSpec["workloads"][number][] = candidates.map(({ workload, need, frees, source }) => {
    const { antiAffinityGroup, pinnedTo } = workload.constraints;
    const home = index.get(source.id)!;
    rest[home]![0]! -= frees.cpuCores;
    rest[home]![1]! -= frees.memoryBytes / GIBIBYTE;
    const { config } = context;
    const price = priceOf(estimateMoveCost(workload, need, source, source, config.cost), config.cost);
    return {
      node: home,
      // Not all that it may need at times: the node's use counts only what it uses now, and the engine weighs each proposal.
      requirement: [frees.cpuCores, frees.memoryBytes / GIBIBYTE],
      moveCost: MOVE_COST + (config.cost.horizonSeconds === 0 ? 0 : (PRICE_COST * price) / config.cost.horizonSeconds),
      group: antiAffinityGroup === null ? undefined : numberOf(groups, antiAffinityGroup),
      pinnedTo: pinnedTo.flatMap((id) => index.get(id) ?? []),
    };
  });
  for (const [home, requirement] of rest.entries()) workloads.push({ node: home, requirement, moveCost: Number.POSITIVE_INFINITY });
  return { workloads, groups: Array.from(groups, () => ({ distinct: true })) };
}

/** As the rest of this policy sees it: a full node by its lower estimate, an empty one by its higher. */
function usedOn({ state }: NodeView, { low, middle, high }: Level, { mean }: Levels): [number, number] {
  const cpu = middle.cpu > mean.cpu ? low.cpu : high.cpu;
  const memory = middle.memory > mean.memory ? low.memory : high.memory;
  return [cpu * state.cpuCapacityCores, (memory * state.memoryCapacityBytes) / GIBIBYTE];
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const number = numbers.get(name) ?? numbers.size;
  numbers.set(name, number);
  return number;
}
