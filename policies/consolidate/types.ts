import type { Constraints } from "../types.js";

/** What consolidation looks at. CPU is in any one unit (cores, MIPS), the same for nodes and workloads. */
export interface ConsolidateInput {
  /** Epoch seconds. */
  readonly at: number;
  readonly nodes: readonly PowerNode[];
  readonly workloads: readonly PowerWorkload[];
}

export interface PowerNode {
  readonly id: string;
  readonly cpuCapacity: number;
  /** The most that one workload can use here (one core, where workloads have one thread). */
  readonly cpuPerWorkload: number;
  readonly memoryCapacityBytes: number;
  /** Watts at equally spaced CPU ratios from 0 to 1; asleep is 0 W. */
  readonly watts: readonly number[];
  readonly awake: boolean;
  /** Neither gives nor takes workloads: unknown, cordoned, draining. */
  readonly closed: boolean;
}

export interface PowerWorkload {
  readonly id: string;
  readonly node: string;
  /** CPU asked for, newest first, evenly spaced; empty = unknown: it is not moved and counts with its limit. */
  readonly cpuHistory: readonly number[];
  readonly cpuLimit: number;
  readonly memoryBytes: number;
  readonly lastMovedAt: number | null;
  readonly constraints: Constraints;
}

export interface ConsolidateMove {
  readonly workload: string;
  readonly from: string;
  readonly to: string;
  readonly reason: "overload" | "consolidate";
  readonly because: string;
}

export interface ConsolidatePlan {
  readonly moves: readonly ConsolidateMove[];
  /** Nodes to wake before the moves begin. */
  readonly wake: readonly string[];
  /** Nodes that may sleep once the moves are done. */
  readonly sleep: readonly string[];
  /** Overloaded nodes that no move could relieve; while there is one, no node is emptied. */
  readonly unrelieved: readonly string[];
}
