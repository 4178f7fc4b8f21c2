import { buildModel } from "../../policies/search/build-model.js";
import type { SearchModel } from "../../policies/search/model.js";
import type { NodeState, Snapshot, WorkloadState } from "../../policies/types.js";

const GIBIBYTE = 2 ** 30;
/** Cost of a node that is 100 % off the fleet's mean; one that is 1 % off costs 0.1. */
const LEVEL_WEIGHT = 1000;
/** Above this share of its capacity a node is at risk; cost of a usual node that is 100 % above it. */
const RISK_RATIO = 0.8;
const RISK_WEIGHT = 300;
const MOVE_COST = 0.05;
const MOVE_COST_PER_GIBIBYTE = 0.02;

/** A snapshot as the search sees it: CPU and memory, level over all nodes and none too full; replicas apart. */
export function toModel(snapshot: Snapshot): SearchModel {
  const index = new Map(snapshot.nodes.map((node, i) => [node.id, i]));
  const groupIndex = new Map<string, number>();
  for (const { constraints } of snapshot.workloads) {
    const name = constraints.antiAffinityGroup;
    if (name !== null && !groupIndex.has(name)) groupIndex.set(name, groupIndex.size);
  }
  const cpuTarget = meanRatio(snapshot, cpuOf, (workload) => workload.cpuUsedCores ?? 0);
  const memoryTarget = meanRatio(snapshot, memoryOf, (workload) => (workload.memoryUsedBytes ?? 0) / GIBIBYTE);
  return buildModel({
    resources: [{ softWeight: riskWeight(snapshot, cpuOf) }, { softWeight: riskWeight(snapshot, memoryOf) }],
    nodes: snapshot.nodes.map((node) => ({
      capacity: [cpuOf(node), memoryOf(node)],
      softCapacity: [cpuOf(node) * RISK_RATIO, memoryOf(node) * RISK_RATIO],
      closed: node.state !== "ready" || node.maintenance !== null,
    })),
    workloads: snapshot.workloads.map((workload) => {
      const { antiAffinityGroup: group, mode, pinnedTo } = workload.constraints;
      const memoryGibibytes = (workload.memoryUsedBytes ?? 0) / GIBIBYTE;
      const isFixed = mode === "never" || workload.cpuUsedCores === null || workload.memoryUsedBytes === null;
      return {
        node: index.get(workload.node) as number,
        requirement: [workload.cpuUsedCores ?? 0, memoryGibibytes],
        moveCost: isFixed ? Number.POSITIVE_INFINITY : MOVE_COST + MOVE_COST_PER_GIBIBYTE * memoryGibibytes,
        group: group === null ? undefined : groupIndex.get(group),
        pinnedTo: pinnedTo.map((id) => index.get(id) as number),
      };
    }),
    groups: Array.from(groupIndex, () => ({ distinct: true })),
    levels: [
      { resource: 0, target: cpuTarget, weight: LEVEL_WEIGHT },
      { resource: 1, target: memoryTarget, weight: LEVEL_WEIGHT },
    ],
  });
}

function cpuOf(node: NodeState): number {
  return node.cpuCapacityCores;
}

function memoryOf(node: NodeState): number {
  return node.memoryCapacityBytes / GIBIBYTE;
}

/** The search weighs units of a resource, not ratios: for a node of mean size the two are the same. */
function riskWeight(snapshot: Snapshot, capacityOf: (node: NodeState) => number): number {
  return (RISK_WEIGHT * snapshot.nodes.length) / snapshot.nodes.reduce((sum, node) => sum + capacityOf(node), 0);
}

function meanRatio(snapshot: Snapshot, capacityOf: (node: NodeState) => number, useOf: (workload: WorkloadState) => number): number {
  const capacity = snapshot.nodes.reduce((sum, node) => sum + capacityOf(node), 0);
  return snapshot.workloads.reduce((sum, workload) => sum + useOf(workload), 0) / capacity;
}
