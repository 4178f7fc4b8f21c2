import type { JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { priceOf } from "../cost/worth.js";
import type { NodeView } from "../fleet.js";
import { buildModel, type ModelSpec } from "../search/build-model.js";
import type { SearchModel } from "../search/model.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { cpuCeiling, memoryCeiling, whyClosed } from "../stages/feasible.js";
import { LATER, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { amountOf, capacityOf } from "../stages/score.js";
import type { SkipReason } from "../types.js";
import { type Levels, levelOf, RESOURCES } from "./levels.js";

export interface WaySpec {
  readonly spec: ModelSpec;
  /** By their place in the model; workloads of the model that come after the candidates never move. */
  readonly nodes: readonly NodeView[];
  readonly candidates: readonly Candidate[];
}

/** Nodes that are known not to do for a workload, by its id. */
export type Barred = ReadonlyMap<string, ReadonlySet<NodeView>>;

/** Cost of a node that is 100 % off the mean; what follows is in the same unit. */
const LEVEL_WEIGHT = 1000;
/** Of a hot node that is 100 % above its fix bound. */
const RISK_WEIGHT = 300;
/** Of a move whose price is the whole horizon. */
const PRICE_COST = 300;
const GIBIBYTE = 2 ** 30;
/** Reasons for which a node may take nothing now, but soon. */
const SOON: ReadonlySet<SkipReason | null> = new Set([null, "target-settling", "target-cpu-full", "target-memory-full"]);

/** Without the moves that are known not to fit. */
export function buildWayModel({ spec, nodes, candidates }: WaySpec, barred: Barred): SearchModel {
  if (barred.size === 0) return buildModel(spec);
  const workloads = spec.workloads.map((each, position) => {
    const not = barred.get(candidates[position]?.workload.id ?? "");
    if (not === undefined) return each;
    const { pinnedTo = [] } = each;
    const open = (pinnedTo.length > 0 ? pinnedTo : nodes.map((_, node) => node)).filter((node) => !not.has(nodes[node]!));
    return bindTo(open, each);
  });
  return buildModel({ ...spec, workloads });
}

/** The fleet as it may be once all moves are done. What is in the way of one just now is left to those who begin it. */
export function describeFleet(levels: Levels, context: JudgedContext): WaySpec {
  const nodes = context.fleet.nodes.filter((node) => levels.nodes.has(node) || levels.later.has(node));
  const index = new Map(nodes.map((node, position) => [node, position]));
  const candidates = nodes.flatMap((node) => movable(node, context));
  const { config } = context;
  const ceilings = [cpuCeiling(config), memoryCeiling(config)] as const;
  const fixRatios = [config.overload.cpuFixRatio, config.overload.memoryFixRatio] as const;
  const capacities = nodes.map((node) => RESOURCES.map((resource, r) => inUnits(resource, capacityOf(resource, node)) * ceilings[r]!));
  const spec: ModelSpec = {
    resources: RESOURCES.map((_, r) => ({
      softWeight: (RISK_WEIGHT * ceilings[r]! * nodes.length) / sumOf(capacities, (each) => each[r]!),
    })),
    nodes: nodes.map((node, position) => {
      const capacity = capacities[position]!;
      const { hot } = context.verdicts.get(node.id)!;
      const softCapacity = RESOURCES.map((resource, r) =>
        hot.includes(resource) ? capacity[r]! * Math.min(1, fixRatios[r]! / ceilings[r]!) : Number.MAX_VALUE,
      );
      return { capacity, softCapacity, closed: whyClosed(node, context) !== null || !SOON.has(whyNotLevelTo(node, context)) };
    }),
    ...workloadsOf(candidates, index, levels, context),
    levels: RESOURCES.map((resource, r) => ({
      resource: r,
      target: levels.mean[resource] / ceilings[r]!,
      weight: LEVEL_WEIGHT * levels.weight[resource] * ceilings[r]! ** 2,
    })),
  };
  return { spec, nodes, candidates };
}

/** What may leave, now or soon, and has no ties that the model cannot express. */
function movable(node: NodeView, context: JudgedContext): Candidate[] {
  const { verdict } = context.verdicts.get(node.id)!;
  if (verdict !== "level" && verdict !== "overloaded") return [];
  const candidates = levelCandidates(node, context.fleet, context.config, context.now).filter((entry): entry is Candidate => {
    const { constraints, id } = entry.workload;
    if ("reason" in entry || context.ledger.company.headedFor.has(id) || constraints.affinityGroup || constraints.zoneSpreadGroup)
      return false;
    return LATER.has(whyNotStart(context, entry.workload, verdict === "level" ? "balance" : "overload"));
  });
  if (verdict === "level") return candidates;
  // A hot node is relieved of those of higher priority only when none of lower can go.
  const lowest = Math.min(...candidates.map(priorityOf));
  return candidates.filter((candidate) => priorityOf(candidate) === lowest);
}

function priorityOf({ workload }: Candidate): number {
  return workload.constraints.priority ?? 0;
}

/** The candidates, and after them what never moves: for each node one that stands for all else there, and those of a group that keep others away. */
function workloadsOf(
  candidates: readonly Candidate[],
  index: ReadonlyMap<NodeView, number>,
  levels: Levels,
  context: JudgedContext,
): Pick<ModelSpec, "workloads" | "groups"> {
  const groups = new Map<string, number>();
  const nodes = [...index.keys()];
  const rest = nodes.map((node) => usedOn(node, levels));
  const leastGain = leastGainOf(candidates, nodes, context);
  const workloads: ModelSpec["workloads"][number][] = candidates.map((candidate) => {
    const { workload, need, frees, source } = candidate;
    const { antiAffinityGroup, pinnedTo } = workload.constraints;
    const node = index.get(source)!;
    // Not all that it may need at times: the node's use counts only what it uses now.
    const requirement = RESOURCES.map((resource) => inUnits(resource, amountOf(resource, frees)));
    for (const [r, amount] of requirement.entries()) rest[node]![r]! -= amount;
    if (antiAffinityGroup !== null && !groups.has(antiAffinityGroup)) groups.set(antiAffinityGroup, groups.size);
    const { cost } = context.config;
    const price =
      cost.horizonSeconds === 0 ? 0 : priceOf(estimateMoveCost(workload, need, source, source, cost), cost) / cost.horizonSeconds;
    // Above the whole horizon nothing that it relieves is worth it.
    const moveCost = price > 1 ? Number.POSITIVE_INFINITY : leastGain + PRICE_COST * price;
    const free = { node, requirement, moveCost, group: antiAffinityGroup === null ? undefined : groups.get(antiAffinityGroup) };
    if (pinnedTo.length === 0) return free;
    return bindTo(
      [...index].flatMap(([{ id }, position]) => (pinnedTo.includes(id) ? [position] : [])),
      free,
    );
  });
  const stays = (node: number, requirement: readonly number[], group?: number) =>
    workloads.push({ node, requirement, group, moveCost: Number.POSITIVE_INFINITY });
  for (const [node, requirement] of rest.entries()) stays(node, requirement);
  const ids = new Set(candidates.map(({ workload }) => workload.id));
  for (const [name, group] of groups) {
    for (const [id, there] of context.ledger.company.apart.get(name) ?? []) {
      const node = index.get(context.fleet.nodeById.get(id)!);
      if (node !== undefined && [...there].some((member) => !ids.has(member))) stays(node, [0, 0], group);
    }
  }
  return { workloads, groups: Array.from(groups, () => ({ distinct: true })) };
}

/** Only these nodes, even where there is none. */
function bindTo(pinnedTo: readonly number[], workload: ModelSpec["workloads"][number]): ModelSpec["workloads"][number] {
  return { ...workload, pinnedTo, ...(pinnedTo.length === 0 && { moveCost: Number.POSITIVE_INFINITY }) };
}

/** What one of mean size could gain between two nodes that are as far off as the lower bound of balance: less is not worth a move. */
function leastGainOf(candidates: readonly Candidate[], nodes: readonly NodeView[], { config }: JudgedContext): number {
  const { stopRatio, cpuWeight, memoryWeight } = config.balance;
  const weights = { cpu: cpuWeight, memory: memoryWeight };
  return sumOf(RESOURCES, (resource) => {
    const size = sumOf(candidates, ({ frees }) => amountOf(resource, frees)) / candidates.length;
    const ratio = (size * nodes.length) / sumOf(nodes, (node) => capacityOf(resource, node));
    return 2 * LEVEL_WEIGHT * weights[resource] * (stopRatio ** 2 - Math.max(0, stopRatio - ratio) ** 2);
  });
}

/** As the rest of this policy sees it: a full node by its lower estimate, an empty one by its higher. */
function usedOn(node: NodeView, levels: Levels): number[] {
  const { low, middle, high } = levelOf(node, levels);
  return RESOURCES.map((resource) => {
    const ratio = middle[resource] > levels.mean[resource] ? low[resource] : high[resource];
    return inUnits(resource, ratio * capacityOf(resource, node));
  });
}

/** Cores and GiB: numbers of one size are added up more exactly. */
function inUnits(resource: (typeof RESOURCES)[number], amount: number): number {
  return resource === "cpu" ? amount : amount / GIBIBYTE;
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
