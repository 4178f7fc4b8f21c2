import type { Fleet, NodeView } from "../fleet.js";
import type { NodeState, SkipReason, WorkloadState } from "../types.js";
import { type Company, othersAt, volumesTaken } from "./company.js";
import { isNameTaken } from "./namesakes.js";

/** What a workload's labels and image ask of its node, whatever the load. Null: it may be there. */
export function whyNotOn(workload: WorkloadState, target: NodeView, fleet: Fleet, company: Company): SkipReason | null {
  const { antiAffinityGroup, zoneSpreadGroup } = workload.constraints;
  if (!isPinnedTo(workload, target)) return "workload-pinned";
  if (!isOfItsKind(workload, target, fleet)) return "target-incompatible";
  if (isForeignCpu(workload, target, fleet)) return "target-cpu-differs";
  if (lacksNetwork(workload, target.state)) return "target-without-network";
  if (workload.node !== target.id && isNameTaken(workload, target, fleet, company)) return "target-has-name";
  // Where it is already it shares them, which binds it there.
  if (workload.volumes && workload.node !== target.id && volumesTaken(company, workload, target.id).length > 0) return "target-has-volume";
  const asOne = fleet.asOne.get(workload.id);
  if (antiAffinityGroup !== null && othersAt(company.apart, antiAffinityGroup, target.id, workload.id, asOne) > 0) return "anti-affinity";
  if (zoneSpreadGroup && isZoneCrowded(workload, zoneSpreadGroup, target, fleet, company)) return "zone-spread";
  return null;
}

export function isPinnedTo({ constraints }: WorkloadState, target: NodeView): boolean {
  return constraints.pinnedTo.length === 0 || constraints.pinnedTo.includes(target.id);
}

/** Whether it could be started there. What is not known is taken to fit: the executors' own preflight has the last word. */
export function isCompatible(workload: WorkloadState, target: NodeView, fleet: Fleet): boolean {
  return isOfItsKind(workload, target, fleet) && !lacksNetwork(workload, target.state);
}

/** What runs natively on its node runs on others of that architecture alone: its memory holds that machine's code. */
function isOfItsKind(workload: WorkloadState, { state }: NodeView, fleet: Fleet): boolean {
  const own = workload.architecture ?? fleet.nodeById.get(workload.node)?.state.architecture;
  return !own || !state.architecture || own === state.architecture;
}

/** Its memory knows the CPU that it runs on. One that may be stopped and started anew asks again. */
function isForeignCpu({ node, constraints }: WorkloadState, { state }: NodeView, fleet: Fleet): boolean {
  if (constraints.mayGoCold) return false;
  const own = fleet.nodeById.get(node)?.state.cpuKind;
  return !!own && (state.refusedCpus?.includes(own) ?? false);
}

function lacksNetwork({ networks }: WorkloadState, { networks: there }: NodeState): boolean {
  if (!networks || !there) return false;
  for (const network of networks) if (!there.includes(network)) return true;
  return false;
}

/** Networks that it is attached to and that are known not to exist there. */
export function missingNetworks({ networks }: Pick<WorkloadState, "networks">, { networks: there }: Pick<NodeState, "networks">): string[] {
  return networks && there ? networks.filter((network) => !there.includes(network)) : [];
}

/**
 * A zone may take one more only while no zone has fewer: distinct zones as long as there are enough, even ones after that. One of which nobody knows
 * all that it runs is never taken to have fewer.
 */
function isZoneCrowded(workload: WorkloadState, group: string, target: NodeView, fleet: Fleet, company: Company): boolean {
  if (target.zone === null || target.zone === fleet.nodeById.get(workload.node)?.zone) return false;
  if (target.isZoneUnseen && fleet.zones.size > 1) return true;
  const asOne = fleet.asOne.get(workload.id);
  const there = othersAt(company.zones, group, target.zone, workload.id, asOne);
  for (const zone of fleet.zones) if (othersAt(company.zones, group, zone, workload.id, asOne) < there) return true;
  return false;
}

/**
 * Whether a target keeps the workload's affinity group on one node. A group that is together stays where it is, unless its
 * node must be emptied: then the first one goes where there is room for all, and the others follow it.
 */
export function isWithGroup(workload: WorkloadState, target: NodeView, company: Company, mustLeave: boolean): boolean {
  const group = workload.constraints.affinityGroup;
  if (!group) return true;
  const others = (company.together.get(group) ?? []).filter(({ id }) => id !== workload.id);
  const elsewhere = new Set(others.map(({ id, node }) => company.headedFor.get(id) ?? node).filter((node) => node !== workload.node));
  if (elsewhere.size > 0) return elsewhere.has(target.id);
  return others.length === 0 || mustLeave;
}
