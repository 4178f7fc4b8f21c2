import { estimateLoad, type Load } from "./estimate/node-load.js";
import { sortById } from "./order.js";
import { findNamesakes, type Namesakes } from "./placement/namesakes.js";
import type { NodeState, OpenMigration, SkipReason, Snapshot, WorkloadState } from "./types.js";

/** A snapshot, indexed once so that no stage has to search it. Everything is in order of id. */
export interface Fleet {
  readonly snapshot: Snapshot;
  readonly nodes: readonly NodeView[];
  readonly nodeById: ReadonlyMap<string, NodeView>;
  readonly workloadById: ReadonlyMap<string, WorkloadState>;
  readonly migrations: readonly OpenMigration[];
  /** Workloads with an open migration, or seen on two nodes at once, which only a migration explains. */
  readonly migrating: ReadonlySet<string>;
  /** All that move as one with a workload, itself among them, by its id. One that moves alone is not in it. */
  readonly asOne: ReadonlyMap<string, readonly WorkloadState[]>;
  /** Workloads of one name; looked for when it is first asked, which in a level fleet nobody does. */
  readonly namesakes: () => ReadonlyMap<string, Namesakes>;
  /** All zones that nodes name. */
  readonly zones: ReadonlySet<string>;
}

export interface NodeView {
  readonly id: string;
  readonly state: NodeState;
  /** Null: unknown, neither source nor target. */
  readonly load: Load | null;
  readonly workloads: readonly WorkloadState[];
  /** When a workload last arrived or left; null = not known to have changed. */
  readonly changedAt: number | null;
  /** Workloads that were here before they last moved. */
  readonly departed: readonly WorkloadState[];
  readonly zone: string | null;
  /** What some node of its zone runs is not known, so that nobody can say how many of a group are there. */
  readonly isZoneUnseen: boolean;
}

const ZONE_LABEL = "io.evenkeel.zone";

export function indexFleet(snapshot: Snapshot): Fleet {
  const workloadsOf = new Map<string, WorkloadState[]>();
  const departed = new Map<string, WorkloadState[]>();
  const changedAt = new Map<string, number>();
  const workloadById = new Map<string, WorkloadState>();
  const groups = new Map<string, WorkloadState[]>();
  const unseen = new Set<string>();
  const migrating = new Set<string>(snapshot.migrations.map((migration) => migration.workload));
  for (const workload of sortById(snapshot.workloads)) {
    if (workloadById.has(workload.id)) migrating.add(workload.id);
    else workloadById.set(workload.id, workload);
    addTo(workloadsOf, workload.node, workload);
    if (workload.labelsUnknown) unseen.add(workload.node);
    if (workload.constraints.group) addTo(groups, `${workload.node} ${workload.constraints.group}`, workload);
    if (workload.lastMovedAt === null) continue;
    if (workload.lastMovedFrom) addTo(departed, workload.lastMovedFrom, workload);
    for (const node of [workload.node, workload.lastMovedFrom]) {
      if (node) changedAt.set(node, Math.max(changedAt.get(node) ?? 0, workload.lastMovedAt));
    }
  }
  const unseenZones = new Set(snapshot.nodes.flatMap((node) => (node.contentUnknown || unseen.has(node.id) ? [zoneOf(node)] : [])));
  const nodes = sortById(snapshot.nodes).map((state) => ({
    id: state.id,
    state,
    load: estimateLoad(state),
    workloads: workloadsOf.get(state.id) ?? [],
    changedAt: changedAt.get(state.id) ?? null,
    departed: departed.get(state.id) ?? [],
    zone: zoneOf(state),
    isZoneUnseen: zoneOf(state) !== null && unseenZones.has(zoneOf(state)),
  }));
  let namesakes: ReadonlyMap<string, Namesakes> | undefined;
  return {
    snapshot,
    nodes,
    nodeById: new Map(nodes.map((node) => [node.id, node])),
    workloadById,
    migrations: sortById(snapshot.migrations),
    migrating,
    asOne: new Map([...groups.values()].flatMap((members) => (members.length > 1 ? members.map(({ id }) => [id, members] as const) : []))),
    namesakes: () => (namesakes ??= findNamesakes(workloadById.values())),
    zones: new Set(nodes.flatMap(({ zone }) => (zone === null ? [] : [zone]))),
  };
}

function zoneOf({ labels }: NodeState): string | null {
  return labels[ZONE_LABEL] ?? null;
}

/** The first reason that the workload, or one that moves as one with it, gives. */
export function whyAnyOf(workload: WorkloadState, { asOne }: Fleet, why: (member: WorkloadState) => SkipReason | null): SkipReason | null {
  const members = asOne.get(workload.id);
  if (members === undefined) return why(workload);
  for (const member of members) {
    const reason = why(member);
    if (reason !== null) return reason;
  }
  return null;
}

function addTo(lists: Map<string, WorkloadState[]>, key: string, workload: WorkloadState): void {
  const list = lists.get(key);
  if (list) list.push(workload);
  else lists.set(key, [workload]);
}
