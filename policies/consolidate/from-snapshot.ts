import type { NodeState, Snapshot, WorkloadState } from "../types.js";
import type { ConsolidateInput, PowerNode, PowerWorkload } from "./types.js";

/** Watts at equally spaced CPU ratios, separated by commas: `io.evenkeel.watts=90,105,120,130`. */
export const WATTS_LABEL = "io.evenkeel.watts";
/** A node without the label is taken for a small server: idle and full. Only differences between nodes matter much. */
const USUAL_WATTS: readonly number[] = [90, 180];

/**
 * What a snapshot says to consolidation. `historyOf` gives a workload's CPU readings in cores, newest first; without it the
 * present reading stands alone, and the forecast's prior makes up for what is not known. Use that belongs to no workload
 * is taken off its node's capacity. Unknown, sleeping, flagged and cordoned nodes, and those with a migration under way, are closed.
 */
export function consolidateInput(
  snapshot: Snapshot,
  historyOf: (workload: WorkloadState) => readonly number[] = present,
  isClosed: (node: NodeState) => boolean = () => false,
): ConsolidateInput {
  const used = new Map(snapshot.nodes.map((node) => [node.id, { cpu: 0, memory: 0 }]));
  for (const workload of snapshot.workloads) {
    const sum = used.get(workload.node);
    if (sum === undefined) continue;
    sum.cpu += workload.cpuUsedCores ?? 0;
    sum.memory += workload.memoryUsedBytes ?? 0;
  }
  const busy = new Set(snapshot.migrations.flatMap((migration) => [migration.from, migration.to]));
  const nodes = snapshot.nodes.map((node) =>
    toNode(node, used.get(node.id) as { cpu: number; memory: number }, busy.has(node.id) || isClosed(node)),
  );
  const capacity = new Map(nodes.map((node) => [node.id, node.cpuCapacity]));
  return { at: snapshot.at, nodes, workloads: snapshot.workloads.map((w) => toWorkload(w, historyOf(w), capacity.get(w.node) ?? 0)) };
}

/** @returns the curve of a label; null when it is not a list of at least two numbers above 0 */
export function parseWatts(label: string | undefined): readonly number[] | null {
  const watts = (label ?? "").split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  return watts.length >= 2 && watts.every((value) => Number.isFinite(value) && value > 0) ? watts : null;
}

function toNode(node: NodeState, used: { cpu: number; memory: number }, busy: boolean): PowerNode {
  const cpuCapacity = node.cpuCapacityCores - Math.max(0, (node.cpuUsedCores ?? 0) - used.cpu);
  return {
    id: node.id,
    cpuCapacity,
    cpuPerWorkload: cpuCapacity,
    memoryCapacityBytes: node.memoryCapacityBytes - Math.max(0, (node.memoryUsedBytes ?? 0) - used.memory),
    watts: parseWatts(node.labels[WATTS_LABEL]) ?? USUAL_WATTS,
    awake: node.state === "ready",
    closed:
      node.state !== "ready" ||
      Boolean(node.power) ||
      node.cpuUsedCores === null ||
      node.maintenance !== null ||
      node.cordoned === true ||
      busy,
  };
}

function toWorkload(workload: WorkloadState, cpuHistory: readonly number[], nodeCapacity: number): PowerWorkload {
  return {
    id: workload.id,
    node: workload.node,
    cpuHistory: workload.memoryUsedBytes === null ? [] : cpuHistory,
    cpuLimit: workload.cpuLimitCores ?? nodeCapacity,
    memoryBytes: workload.memoryUsedBytes ?? 0,
    lastMovedAt: workload.lastMovedAt,
    constraints: workload.constraints,
  };
}

function present(workload: WorkloadState): readonly number[] {
  return workload.cpuUsedCores === null ? [] : [workload.cpuUsedCores];
}
