import type { Balance, Level, SearchModel } from "./model.js";

/** A model as a person would write it. Every index counts from 0. */
export interface ModelSpec {
  readonly resources: readonly ResourceSpec[];
  readonly nodes: readonly NodeSpec[];
  readonly workloads: readonly WorkloadSpec[];
  readonly groups?: readonly GroupSpec[];
  readonly balances?: readonly Balance[];
  readonly levels?: readonly Level[];
  readonly groupMoveWeight?: number;
  /** Row: from, column: to. */
  readonly nodeMoveCost?: readonly (readonly number[])[];
  readonly nodeMoveWeight?: number;
}

export interface ResourceSpec {
  /** Cost of one unit above a node's soft capacity. Default 0. */
  readonly softWeight?: number;
  /** Held on both ends of a move. Default false. */
  readonly transient?: boolean;
}

export interface NodeSpec {
  /** One number per resource; less what is used by anything that is not a workload of the model. */
  readonly capacity: readonly number[];
  /** Default: the capacity. */
  readonly softCapacity?: readonly number[];
  readonly zone?: number;
  readonly neighbourhood?: number;
  /** Nothing may arrive. */
  readonly closed?: boolean;
  /** Cost per workload on it. */
  readonly stayCost?: number;
}

export interface WorkloadSpec {
  readonly node: number;
  readonly requirement: readonly number[];
  readonly group?: number;
  /** Default 0; Infinity forbids the move. */
  readonly moveCost?: number;
  /** Only these nodes; empty or absent = any. */
  readonly pinnedTo?: readonly number[];
}

export interface GroupSpec {
  /** Workloads on distinct nodes. Default false. */
  readonly distinct?: boolean;
  /** At least so many zones. Default 0. */
  readonly spread?: number;
  readonly dependsOn?: readonly number[];
}

/** Lays a plain description out in typed arrays. Throws RangeError when an index points nowhere. */
export function buildModel(spec: ModelSpec): SearchModel {
  const { nodes, workloads } = spec;
  const groups = spec.groups ?? [];
  const inRange = (index: number, length: number, what: string): number => {
    if (!Number.isInteger(index) || index < 0 || index >= length) throw new RangeError(`${what} ${index} is not in 0 … ${length - 1}`);
    return index;
  };
  const resources = spec.resources.length;
  const row = (values: readonly number[], what: string): readonly number[] => {
    if (values.length !== resources) throw new RangeError(`${what} has ${values.length} numbers for ${resources} resources`);
    return values;
  };
  const pinned = flatten(workloads.map((w) => (w.pinnedTo ?? []).map((n) => inRange(n, nodes.length, "pinned node"))));
  const depends = flatten(groups.map((g) => (g.dependsOn ?? []).map((d) => inRange(d, groups.length, "dependency"))));
  const zone = Int32Array.from(nodes, (n) => n.zone ?? 0);
  const neighbourhood = Int32Array.from(nodes, (n) => n.neighbourhood ?? 0);
  return {
    resources,
    nodes: nodes.length,
    workloads: workloads.length,
    groups: groups.length,
    zones: zone.reduce((most, z) => Math.max(most, z + 1), 1),
    neighbourhoods: neighbourhood.reduce((most, n) => Math.max(most, n + 1), 1),
    capacity: Float64Array.from(nodes.flatMap((n, i) => row(n.capacity, `node ${i}`))),
    softCapacity: Float64Array.from(nodes.flatMap((n, i) => row(n.softCapacity ?? n.capacity, `node ${i}`))),
    softWeight: Float64Array.from(spec.resources, (r) => r.softWeight ?? 0),
    transient: Uint8Array.from(spec.resources, (r) => (r.transient ? 1 : 0)),
    zone,
    neighbourhood,
    closed: Uint8Array.from(nodes, (n) => (n.closed ? 1 : 0)),
    stayCost: Float64Array.from(nodes, (n) => n.stayCost ?? 0),
    requirement: Float64Array.from(workloads.flatMap((w, i) => row(w.requirement, `workload ${i}`))),
    start: Int32Array.from(workloads, (w) => inRange(w.node, nodes.length, "node")),
    group: Int32Array.from(workloads, (w) => (w.group === undefined ? -1 : inRange(w.group, groups.length, "group"))),
    moveCost: Float64Array.from(workloads, (w) => w.moveCost ?? 0),
    pinnedOffset: pinned.offset,
    pinnedNodes: pinned.values,
    groupDistinct: Uint8Array.from(groups, (g) => (g.distinct ? 1 : 0)),
    groupSpread: Int32Array.from(groups, (g) => g.spread ?? 0),
    groupDependsOffset: depends.offset,
    groupDependsOn: depends.values,
    groupMoveWeight: spec.groupMoveWeight ?? 0,
    nodeMoveCost: spec.nodeMoveCost ? Float64Array.from(spec.nodeMoveCost.flat()) : null,
    nodeMoveWeight: spec.nodeMoveWeight ?? (spec.nodeMoveCost ? 1 : 0),
    balances: spec.balances ?? [],
    levels: spec.levels ?? [],
  };
}

function flatten(rows: readonly (readonly number[])[]): { offset: Int32Array; values: Int32Array } {
  const offset = new Int32Array(rows.length + 1);
  rows.forEach((r, i) => {
    offset[i + 1] = (offset[i] as number) + r.length;
  });
  return { offset, values: Int32Array.from(rows.flat()) };
}
