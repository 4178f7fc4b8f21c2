import type { Fleet, NodeView } from "../fleet.js";
import type { WorkloadState } from "../types.js";

/** Where the workloads of each group are, or are going to be. Both ends of a move count, until it is closed. */
export interface Company {
  readonly apart: Map<string, Map<string, Set<string>>>;
  readonly zones: Map<string, Map<string, Set<string>>>;
  /** Without those that stay on nodes that are not heard. */
  readonly together: Map<string, WorkloadState[]>;
  /** Those that have a volume of a name, each with its node. */
  readonly volumes: Map<string, Holder[]>;
  /** Where a workload under way is going. */
  readonly headedFor: Map<string, string>;
}

export interface Holder {
  readonly id: string;
  readonly node: string;
}

export function companyOf(fleet: Fleet): Company {
  const company: Company = { apart: new Map(), zones: new Map(), together: new Map(), volumes: new Map(), headedFor: new Map() };
  for (const node of fleet.nodes) {
    for (const workload of node.workloads) {
      join(company, workload, node);
      const group = workload.constraints.affinityGroup;
      // To a node that is not heard nobody can follow, and nothing there can.
      if (!group || (node.state.state === "unknown" && !fleet.migrating.has(workload.id))) continue;
      const members = company.together.get(group);
      if (members) members.push(workload);
      else company.together.set(group, [workload]);
    }
  }
  for (const { workload: id, to } of fleet.migrations) {
    const workload = fleet.workloadById.get(id);
    const target = fleet.nodeById.get(to);
    if (workload && target) join(company, workload, target);
    if (workload) startLeaving(company, workload, to);
  }
  return company;
}

export function join(company: Company, { id, constraints, volumes = NONE }: WorkloadState, node: NodeView): void {
  if (constraints.antiAffinityGroup !== null) add(company.apart, constraints.antiAffinityGroup, node.id, id);
  if (constraints.zoneSpreadGroup && node.zone !== null) add(company.zones, constraints.zoneSpreadGroup, node.zone, id);
  for (const volume of volumes) {
    const holders = company.volumes.get(volume);
    if (holders) holders.push({ id, node: node.id });
    else company.volumes.set(volume, [{ id, node: node.id }]);
  }
}

const NONE: readonly string[] = [];

/** Volumes of the workload whose names one of another workload has at that node, or will have. */
export function volumesTaken({ volumes }: Company, workload: WorkloadState, node: string): string[] {
  const isTaken = (name: string) => volumes.get(name)?.some((holder) => holder.node === node && holder.id !== workload.id) ?? false;
  return workload.volumes?.filter(isTaken) ?? [];
}

export function startLeaving(company: Company, { id }: WorkloadState, to: string): void {
  company.headedFor.set(id, to);
}

function add(groups: Map<string, Map<string, Set<string>>>, group: string, place: string, workload: string): void {
  const places = groups.get(group) ?? new Map<string, Set<string>>();
  groups.set(group, places);
  const members = places.get(place) ?? new Set<string>();
  places.set(place, members);
  members.add(workload);
}

/** Workloads of the group at that place, other than this one and those that nothing could part from it. */
export function othersAt(
  groups: Company["apart"],
  group: string,
  place: string,
  workload: string,
  asOne: readonly WorkloadState[] = [],
): number {
  const members = groups.get(group)?.get(place);
  if (members === undefined) return 0;
  let others = members.size - (members.has(workload) ? 1 : 0);
  for (const { id } of asOne) if (id !== workload && members.has(id)) others--;
  return others;
}
