/**
 * What a decision looks at, and what it gives back. Plain readonly data; ratios are 0..1 of the node's capacity,
 * times are epoch seconds, `null` is unknown and never means idle.
 */
export interface Snapshot {
  readonly at: number;
  readonly nodes: readonly NodeState[];
  readonly workloads: readonly WorkloadState[];
  /** Migrations that are not closed; both ends hold the resources of their workload. */
  readonly migrations: readonly OpenMigration[];
}

export interface NodeState {
  readonly id: string;
  /** `unknown`: silent, or its readings failed. Neither source nor target. */
  readonly state: "ready" | "unknown";
  readonly cpuCapacityCores: number;
  readonly memoryCapacityBytes: number;
  /** Smoothed use of the whole node, workloads and all else. */
  readonly cpuUsedCores: number | null;
  readonly memoryUsedBytes: number | null;
  /** Oldest first; what the hold time is judged on. */
  readonly history: readonly NodePoint[];
  readonly maintenance: Maintenance | null;
  readonly labels: Readonly<Record<string, string>>;
}

export interface NodePoint {
  readonly at: number;
  readonly cpuRatio: number | null;
  readonly memoryRatio: number | null;
}

export interface Maintenance {
  readonly since: number;
  /** Epoch seconds by which the node should be empty; null = no deadline. */
  readonly deadline: number | null;
  readonly reason: string;
}

export type MigrationMode = "precopy" | "stopcopy" | "postcopy" | "cold";

export interface WorkloadState {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly cpuUsedCores: number | null;
  readonly memoryUsedBytes: number | null;
  /** Limits set on the container; null = none. */
  readonly cpuLimitCores: number | null;
  readonly memoryLimitBytes: number | null;
  readonly constraints: Constraints;
  readonly lastMovedAt: number | null;
  /** The node it left at lastMovedAt; lets that node settle before it is judged again. */
  readonly lastMovedFrom?: string | null;
}

export interface Constraints {
  /** `never`: the operator has forbidden moves (label io.evenkeel.mode=never). */
  readonly mode: MigrationMode | "auto" | "never";
  /** Workloads of one group are kept on distinct nodes. */
  readonly antiAffinityGroup: string | null;
  /** Only these nodes may hold it; empty = any. */
  readonly pinnedTo: readonly string[];
}

export interface OpenMigration {
  readonly id: string;
  readonly workload: string;
  readonly from: string;
  readonly to: string;
}

/** Why a move is made. */
export type MoveReason = "overload" | "maintenance" | "operator";

export interface Move {
  readonly workload: string;
  readonly from: string;
  readonly to: string;
  readonly reason: MoveReason;
  /** One sentence for a person, with the numbers that decided. */
  readonly because: string;
}

/** One candidate that was not moved, and why. `to` is null when no single destination is to blame. */
export interface Skip {
  readonly workload: string;
  readonly from: string;
  readonly to: string | null;
  readonly reason: SkipReason;
  readonly because: string;
}

export type SkipReason =
  | "workload-missing"
  | "source-unknown"
  | "target-settling"
  | "workload-never"
  | "workload-pinned"
  | "workload-cooling-down"
  | "workload-migrating"
  | "workload-unknown-usage"
  | "anti-affinity"
  | "target-unknown"
  | "target-maintenance"
  | "target-cpu-full"
  | "target-memory-full"
  | "target-busy"
  | "source-busy"
  | "fleet-busy"
  | "gain-too-small"
  | "no-target"
  | "not-needed";

export interface Verdict {
  readonly node: string;
  readonly verdict: "level" | "warming" | "overloaded" | "draining" | "drained" | "unknown";
  readonly because: string;
}

export interface Plan {
  readonly at: number;
  readonly verdicts: readonly Verdict[];
  /** In the order in which they are to be carried out. */
  readonly moves: readonly Move[];
  readonly skips: readonly Skip[];
  /** Standard deviation of the known nodes' CPU ratio, now and as the plan would leave it. */
  readonly imbalanceBefore: number | null;
  readonly imbalanceAfter: number | null;
}
