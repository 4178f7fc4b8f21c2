import type { Resource } from "../context.js";
import type { Fleet, NodeView } from "../fleet.js";
import type { Account, Ledger } from "../ledger.js";
import type { Use } from "../need.js";
import type { Candidate } from "./candidates.js";

/** How one resource of a pair of nodes would change by a move, as ratios of each one's capacity. */
export interface Effect {
  readonly sourceBefore: number;
  readonly sourceAfter: number;
  readonly targetBefore: number;
  readonly targetAfter: number;
  /** The same if no more comes than what the source is sure to be rid of. */
  readonly targetAtLeast: number;
}

/** The source's half of it, which is the same for every target. */
export interface SourceChange {
  readonly before: number;
  readonly after: number;
  /** What the source is sure to be rid of, and what a target must bear: they differ where the workload swings. */
  readonly freed: number;
  readonly needed: number;
}

export function changeOf(resource: Resource, { need, frees, source }: Candidate, ledger: Ledger): SourceChange {
  const before = relievedRatio(resource, source, ledger);
  const freed = amountOf(resource, frees);
  return { before, after: before - freed / capacityOf(resource, source), freed, needed: amountOf(resource, need) };
}

export function arriveAt(change: SourceChange, resource: Resource, target: NodeView, targetBefore: number): Effect {
  const capacity = capacityOf(resource, target);
  return {
    sourceBefore: change.before,
    sourceAfter: change.after,
    targetBefore,
    targetAfter: targetBefore + change.needed / capacity,
    targetAtLeast: targetBefore + change.freed / capacity,
  };
}

/**
 * How much a move lowers the imbalance of its two nodes: the sum of their squared distances from the fleet's mean ratio,
 * which no move changes, by whatever is worse of what may arrive. `gain` is that amount, `share` its part of what there was.
 */
export function gainOf(effect: Effect, meanRatio: number): { readonly gain: number; readonly share: number } {
  const before = (effect.sourceBefore - meanRatio) ** 2 + (effect.targetBefore - meanRatio) ** 2;
  const after = (effect.sourceAfter - meanRatio) ** 2 + farthest(effect.targetAfter, effect.targetAtLeast, meanRatio) ** 2;
  const gain = before - after;
  return { gain, share: before > 0 ? gain / before : 0 };
}

/** The distance from the mean of the one that is further off. */
export function farthest(a: number, b: number, mean: number): number {
  return Math.max(Math.abs(a - mean), Math.abs(b - mean));
}

/** The ratio once all departures are done: what is left to be relieved. The lower estimate, since a spike is not load. */
export function relievedRatio(resource: Resource, node: NodeView, ledger: Ledger): number {
  const account = ledger.accounts.get(node.id)!;
  const load = resource === "cpu" ? node.load!.cpuCores.low : node.load!.memoryBytes.low;
  const leaving = resource === "cpu" ? account.leavingCpuCores : account.leavingMemoryBytes;
  return (load - leaving) / capacityOf(resource, node);
}

/** The ratio with all arrivals and no departure. The higher estimate, since a lull is not room. */
export function burdenedRatio(resource: Resource, node: NodeView, ledger: Ledger): number {
  const account: Account = ledger.accounts.get(node.id)!;
  const load = resource === "cpu" ? node.load!.cpuCores.high : node.load!.memoryBytes.high;
  const arriving = resource === "cpu" ? account.arrivingCpuCores : account.arrivingMemoryBytes;
  return (load + arriving) / capacityOf(resource, node);
}

export function amountOf(resource: Resource, use: Use): number {
  return resource === "cpu" ? use.cpuCores : use.memoryBytes;
}

export function capacityOf(resource: Resource, node: NodeView): number {
  return resource === "cpu" ? node.state.cpuCapacityCores : node.state.memoryCapacityBytes;
}

/** Use over capacity of all known nodes together. */
export function meanRatioOf(resource: Resource, fleet: Fleet): number {
  let used = 0;
  let capacity = 0;
  for (const node of fleet.nodes) {
    if (node.load === null) continue;
    used += (resource === "cpu" ? node.state.cpuUsedCores : node.state.memoryUsedBytes) ?? 0;
    capacity += capacityOf(resource, node);
  }
  return capacity > 0 ? used / capacity : 0;
}
