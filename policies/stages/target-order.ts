import type { Resource } from "../context.js";
import type { NodeView } from "../fleet.js";
import type { Ledger } from "../ledger.js";
import { compareIds, compareNumbers } from "../order.js";
import { burdenedRatio, capacityOf } from "./score.js";

/** A target and how full it is of the resource in question. */
export interface Peer {
  readonly node: NodeView;
  readonly ratio: number;
}

/**
 * Targets by capacity, the emptiest of each capacity first. Whatever moves, between two targets of one capacity the
 * emptier gains more: the first that is allowed is the best, and the rest need not be looked at.
 */
export type TargetOrder = readonly (readonly Peer[])[];

export function orderTargets(targets: readonly NodeView[], resource: Resource, ledger: Ledger): TargetOrder {
  const byCapacity = new Map<number, Peer[]>();
  for (const node of targets) {
    const capacity = capacityOf(resource, node);
    const peer = { node, ratio: burdenedRatio(resource, node, ledger) };
    const peers = byCapacity.get(capacity);
    if (peers) peers.push(peer);
    else byCapacity.set(capacity, [peer]);
  }
  const order = [...byCapacity].sort(([a], [b]) => b - a).map(([, peers]) => peers);
  for (const peers of order) peers.sort((a, b) => compareNumbers(a.ratio, b.ratio) || compareIds(a.node.id, b.node.id));
  return order;
}
