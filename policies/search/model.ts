/**
 * The one problem the search solves, in flat typed arrays (so that worker threads can share it). Matrices are row by row.
 * All costs share one unit, chosen by whoever builds the model. Nodes, workloads, groups and resources are indices.
 */
export interface SearchModel {
  readonly resources: number;
  readonly nodes: number;
  readonly workloads: number;
  readonly groups: number;
  readonly zones: number;
  readonly neighbourhoods: number;

  /** nodes × resources: never exceeded by a move. */
  readonly capacity: Float64Array;
  /** nodes × resources: use above it costs `softWeight` per unit. */
  readonly softCapacity: Float64Array;
  /** Per resource. */
  readonly softWeight: Float64Array;
  /** Per resource, 1 = a moved workload holds it on its old node too (until all moves are done). */
  readonly transient: Uint8Array;
  /** Per node. */
  readonly zone: Int32Array;
  readonly neighbourhood: Int32Array;
  /** Per node, 1 = nothing may arrive (cordoned, unknown, draining). */
  readonly closed: Uint8Array;
  /** Per node: cost of each workload that stays or arrives there (draining: large). */
  readonly stayCost: Float64Array;

  /** workloads × resources. */
  readonly requirement: Float64Array;
  /** Per workload: the node it is on now. */
  readonly start: Int32Array;
  /** Per workload: its group, or -1. */
  readonly group: Int32Array;
  /** Per workload: cost of its being anywhere but on its start node; Infinity = it may not move. */
  readonly moveCost: Float64Array;
  /** Per workload: offset into `pinnedNodes`; no entries = any node (workloads + 1 long). */
  readonly pinnedOffset: Int32Array;
  readonly pinnedNodes: Int32Array;

  /** Per group, 1 = its workloads are on distinct nodes. */
  readonly groupDistinct: Uint8Array;
  /** Per group: in at least this many zones. */
  readonly groupSpread: Int32Array;
  /** Per group: offset into `groupDependsOn` (groups + 1 long): wherever it runs, each of these runs in the same neighbourhood. */
  readonly groupDependsOffset: Int32Array;
  readonly groupDependsOn: Int32Array;
  /** Cost of each workload moved in the group that has most of its workloads moved. */
  readonly groupMoveWeight: number;

  /** nodes × nodes, cost of moving a workload from row to column; null = none. */
  readonly nodeMoveCost: Float32Array | Float64Array | null;
  readonly nodeMoveWeight: number;

  /** cost = weight × max(0, target × free(first) − free(second)), per node. */
  readonly balances: readonly Balance[];
  /** cost = weight × (use / capacity − target)², per node. */
  readonly levels: readonly Level[];
}

export interface Balance {
  readonly first: number;
  readonly second: number;
  readonly target: number;
  readonly weight: number;
}

export interface Level {
  readonly resource: number;
  readonly target: number;
  readonly weight: number;
}
