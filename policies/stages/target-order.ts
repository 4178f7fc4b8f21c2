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
 * Targets by capacity, the largest first, and the emptiest of each capacity first. Whatever moves, between two targets of one capacity the
 * emptier gains more: the first that is allowed is the best, and the rest need not be looked at.
 */
export class TargetOrder {
  readonly peers: readonly Peer[][];
  private readonly peersOf: ReadonlyMap<number, Peer[]>;

  constructor(
    targets: readonly NodeView[],
    private readonly resource: Resource,
    private readonly ledger: Ledger,
  ) {
    const byCapacity = new Map<number, Peer[]>();
    for (const node of targets) {
      const capacity = capacityOf(resource, node);
      const peers = byCapacity.get(capacity);
      if (peers) peers.push(this.measure(node));
      else byCapacity.set(capacity, [this.measure(node)]);
    }
    for (const peers of byCapacity.values()) peers.sort(comparePeers);
    this.peersOf = byCapacity;
    this.peers = [...byCapacity].sort(([a], [b]) => b - a).map(([, peers]) => peers);
  }

  /** Puts a target where it belongs now that something has been entered for it. */
  update(target: NodeView): void {
    const peers = this.peersOf.get(capacityOf(this.resource, target));
    const before = peers?.findIndex(({ node }) => node === target) ?? -1;
    if (!peers || before < 0) return;
    peers.splice(before, 1);
    const peer = this.measure(target);
    const after = peers.findIndex((other) => comparePeers(peer, other) < 0);
    peers.splice(after < 0 ? peers.length : after, 0, peer);
  }

  private measure(node: NodeView): Peer {
    return { node, ratio: burdenedRatio(this.resource, node, this.ledger) };
  }
}

function comparePeers(a: Peer, b: Peer): number {
  return compareNumbers(a.ratio, b.ratio) || compareIds(a.node.id, b.node.id);
}
