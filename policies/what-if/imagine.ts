import { compareNumbers } from "../order.js";
import type { NodeState, Snapshot, WorkloadState } from "../types.js";

/** What might be done to a fleet, or befall it. Names that no node has are ignored. */
export interface Change {
  /** Nodes put under maintenance. */
  readonly drain?: readonly string[];
  /** Nodes, or zones with all their nodes, that fail: what they run has to find room elsewhere, whatever forbids it to move. */
  readonly lose?: readonly string[];
  /** So many empty nodes more, each like the fleet's median one. */
  readonly add?: number;
}

const ZONE_LABEL = "io.evenkeel.zone";

/** The snapshot as it would be right after the change, before anything has moved. */
export function imagine(snapshot: Snapshot, change: Change): Snapshot {
  const isLost = ({ id, labels }: NodeState) => change.lose?.some((name) => name === id || name === labels[ZONE_LABEL]);
  const lost = new Set(snapshot.nodes.filter(isLost).map(({ id }) => id));
  const emptied = new Set([...lost, ...(change.drain ?? [])]);
  const nodes = snapshot.nodes.map((node): NodeState => {
    if (!emptied.has(node.id)) return node;
    const isLost = lost.has(node.id);
    // As if asked for long ago: no reading from after it is waited for, as a real drain would.
    const maintenance = { since: 0, deadline: null, reason: isLost ? "lost" : "what if" };
    // One that is lost in its sleep cannot be woken.
    return { ...node, maintenance, ...(isLost && node.power && { power: null }) };
  });
  const workloads = snapshot.workloads.map((workload) => (lost.has(workload.node) ? asLost(workload) : workload));
  return { ...snapshot, nodes: [...nodes, ...newNodes(snapshot, change.add ?? 0)], workloads };
}

/** Whatever forbade it to move or held it there is gone with its node, and so is its memory: it is started anew, on any CPU. */
function asLost(workload: WorkloadState): WorkloadState {
  return { ...workload, boundBy: [], constraints: { ...workload.constraints, mode: "cold", mayGoCold: true } };
}

/** A name in the change that no node has (nor, of what is lost, a zone); null = there is none. */
export function findStranger({ nodes }: Snapshot, { drain = [], lose = [] }: Change): string | null {
  const ids = new Set(nodes.map(({ id }) => id));
  const zones = new Set(nodes.map(({ labels }) => labels[ZONE_LABEL]));
  return drain.find((name) => !ids.has(name)) ?? lose.find((name) => !ids.has(name) && !zones.has(name)) ?? null;
}

function newNodes(snapshot: Snapshot, count: number): NodeState[] {
  const known = snapshot.nodes
    .filter(({ state }) => state === "ready")
    .sort((a, b) => compareNumbers(a.cpuCapacityCores, b.cpuCapacityCores));
  const median = known[Math.floor(known.length / 2)];
  if (median === undefined) return [];
  const used = { cpuUsedCores: 0, memoryUsedBytes: 0, endedNames: [], health: [], labels: {} };
  const empty = { ...used, maintenance: null, cordoned: false, executorSilent: false, power: null, wokenAt: null };
  const history = median.history.map(({ at }) => ({ at, cpuRatio: 0, memoryRatio: 0 }));
  return Array.from({ length: count }, (_, index) => ({ ...median, ...empty, id: `new-${index + 1}`, history }));
}
