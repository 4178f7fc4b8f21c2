import type { JudgedContext } from "../../context.js";
import { estimateMoveCost } from "../../cost/move-cost.js";
import { priceOf } from "../../cost/worth.js";
import type { NodeView } from "../../fleet.js";
import { refusalBy } from "../../refusal/rest.js";
import type { Guests } from "../../room/guests.js";
import { roomComing, roomOn } from "../../room/lack.js";
import { buildModel, type ModelSpec } from "../../search/build-model.js";
import type { SearchModel } from "../../search/model.js";
import type { Candidate } from "../../stages/candidates.js";
import { cpuCeiling, memoryCeiling, whyNotMeantFor } from "../../stages/feasible.js";
import { relievedRatio } from "../../stages/score.js";
import type { Relief } from "../choose-move.js";

/** A hot node and those around it, as the search sees them. Costs are seconds of overload. */
export interface ChainModel {
  readonly model: SearchModel;
  /** By index of the model; the hot node first. */
  readonly nodes: readonly NodeView[];
  /** By index of the model. What comes after them never moves. */
  readonly candidates: readonly Candidate[];
}

export interface ChainTask {
  /** Of the hot node, those that may leave it. */
  readonly leaving: readonly Candidate[];
  readonly around: readonly NodeView[];
  readonly guests: Guests;
  readonly relief: Relief;
}

/** Who may not go where: by what `pairOf` calls the two. */
export type Barred = ReadonlySet<string>;

export function pairOf({ workload }: Candidate, { id }: NodeView): string {
  return `${workload.id} ${id}`;
}

const GIBIBYTE = 2 ** 30;
/** Worth of the whole relief where cost is not weighed: then the cheapest way is wanted, whatever it costs. */
const UNWEIGHED_HORIZON_SECONDS = 1e6;
/** Of a move that costs next to nothing: fewer moves are better all the same. */
const LEAST_PRICE_SECONDS = 0.1;
/** Sums in another order differ by this much: what just fits the model must fit the hard constraints too. */
const ROUNDING = 1e-9;

/**
 * A workload weighs what it may need. Nothing is transient here: a step begins only when the readings show the room that the one before it has left, so what has moved is held in one
 * place. `orderMoves` sees to it that each has room while its source still holds it.
 */
export function buildChainModel({ leaving, around, guests, relief }: ChainTask, barred: Barred, context: JudgedContext): ChainModel {
  const source = leaving[0]!.source;
  const nodes = [source, ...around];
  const candidates = [...leaving, ...around.flatMap((node) => guests.of(node).filter((guest) => mayMakeRoom(guest, context)))];
  const held = nodes.map(() => [0, 0]);
  const index = new Map(nodes.map((node, position) => [node, position]));
  for (const { source: at, need } of candidates) {
    const row = held[index.get(at)!]!;
    row[0]! += need.cpuCores;
    row[1]! += need.memoryBytes / GIBIBYTE;
  }
  const hot = relief.resource === "cpu" ? 0 : 1;
  const unit = hot === 0 ? source.state.cpuCapacityCores : source.state.memoryCapacityBytes / GIBIBYTE;
  const horizonSeconds = context.config.cost.horizonSeconds || UNWEIGHED_HORIZON_SECONDS;
  const softWeight = horizonSeconds / (relief.excess * unit);
  // Nobody is to be fuller of it than the hot node is now.
  const most = relievedRatio(relief.resource, source, context.ledger);
  const model = buildModel({
    resources: [{ softWeight: hot === 0 ? softWeight : 0 }, { softWeight: hot === 1 ? softWeight : 0 }],
    nodes: nodes.map((node, position) => {
      const use = held[position]!;
      if (node === source)
        return { capacity: use, softCapacity: use.map((amount, r) => (r === hot ? amount - relief.excess * unit : amount)), closed: true };
      const capacity = roomOf(node, relief, most, context).map((amount, r) => amount + use[r]!);
      return { capacity, softCapacity: capacity.map((amount, r) => Math.max(amount, use[r]!)) };
    }),
    ...workloadsOf(candidates, index, barred, context),
  });
  return { model, nodes, candidates };
}

function mayMakeRoom(guest: Candidate, { spoken }: JudgedContext): boolean {
  return isForTheSearch(guest) && !spoken.has(guest.workload.id);
}

/** The model cannot keep zones even, nor a group together. */
export function isForTheSearch({ workload }: Candidate): boolean {
  const { affinityGroup, group, zoneSpreadGroup } = workload.constraints;
  return !affinityGroup && !group && !zoneSpreadGroup;
}

function roomOf(node: NodeView, { resource }: Relief, most: number, context: JudgedContext): [number, number] {
  const { cpuCapacityCores, memoryCapacityBytes } = node.state;
  const { cpuCores, memoryBytes } = roomOn(node, roomComing(node, context), context);
  const tooHigh = Math.max(0, (resource === "cpu" ? cpuCeiling(context.config) : memoryCeiling(context.config)) - most);
  const [cpu, memory] = [ROUNDING + (resource === "cpu" ? tooHigh : 0), ROUNDING + (resource === "memory" ? tooHigh : 0)];
  return [cpuCores - cpu * cpuCapacityCores, (memoryBytes - memory * memoryCapacityBytes) / GIBIBYTE];
}

function workloadsOf(
  candidates: readonly Candidate[],
  index: ReadonlyMap<NodeView, number>,
  barred: Barred,
  context: JudgedContext,
): Pick<ModelSpec, "workloads" | "groups"> {
  const { cost } = context.config;
  const groups = new Map<string, number>();
  const ids = new Set(candidates.map(({ workload }) => workload.id));
  const workloads: ModelSpec["workloads"][number][] = candidates.map((candidate) => {
    const { workload, need, source } = candidate;
    const { antiAffinityGroup } = workload.constraints;
    if (antiAffinityGroup !== null && !groups.has(antiAffinityGroup)) groups.set(antiAffinityGroup, groups.size);
    const allowed = [...index].flatMap(([node, position]) =>
      position > 0 && !barred.has(pairOf(candidate, node)) && isMeantFor(workload, node, context) ? [position] : [],
    );
    const price = Math.max(LEAST_PRICE_SECONDS, priceOf(estimateMoveCost(workload, need, source, source, cost), cost));
    return {
      node: index.get(source)!,
      requirement: [need.cpuCores, need.memoryBytes / GIBIBYTE],
      group: antiAffinityGroup === null ? undefined : groups.get(antiAffinityGroup),
      moveCost: allowed.length === 0 ? Number.POSITIVE_INFINITY : price,
      pinnedTo: allowed.length === index.size - 1 ? [] : allowed,
    };
  });
  // Those of a group that stay, or are on their way, keep the others off their nodes.
  for (const [name, group] of groups) {
    for (const [node, position] of index) {
      const there = [...(context.ledger.company.apart.get(name)?.get(node.id) ?? [])];
      if (there.some((id) => !ids.has(id)))
        workloads.push({ node: position, requirement: [0, 0], group, moveCost: Number.POSITIVE_INFINITY });
    }
  }
  return { workloads, groups: Array.from(groups, () => ({ distinct: true })) };
}

/** Who of its group is there may have left by then: the model keeps them apart itself. */
function isMeantFor(workload: Candidate["workload"], node: NodeView, context: JudgedContext): boolean {
  const refusal = whyNotMeantFor(workload, node, context);
  if (refusal !== "anti-affinity") return refusal === null;
  return refusalBy(node.id, workload, context.config, context.now, false) === null;
}
