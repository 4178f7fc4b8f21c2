import type { Check, Finding } from "../platform/findings.js";
import type { MigrationRecord } from "../platform/migration-record.js";
import type { PolicyConfig } from "../policies/config.js";
import type { Constraints, HealthSign, Move, NodePoint, PowerChange, Skip, Snapshot, Verdict } from "../policies/types.js";
import type { AuditEntry } from "./audit.js";
import type { CordonRequest } from "./fleet/cordons.js";
import type { DrainReport } from "./fleet/drain-report.js";
import type { MaintenanceRequest } from "./fleet/maintenance.js";
import type { Pause } from "./fleet/pause.js";
import type { PublishedPlan } from "./plan-store.js";
import type { ReloadState } from "./reload.js";

/** What the HTTP API answers; docs/api.md explains each. Times are epoch seconds, ratios 0..1 of capacity, null is unknown. */
export interface NodeAnswer {
  readonly id: string;
  readonly state: Verdict["verdict"];
  /** The verdict in a sentence; for an unknown node, what is wrong with it. */
  readonly because: string;
  readonly lastSeenAt: number;
  readonly cpuCapacityCores: number;
  readonly cpuUsedCores: number | null;
  readonly cpuRatio: number | null;
  readonly memoryCapacityBytes: number;
  readonly memoryUsedBytes: number | null;
  readonly memoryRatio: number | null;
  readonly maintenance: readonly MaintenanceRequest[];
  /** Who asks that nothing new be placed there; empty = nobody. A node under maintenance gets nothing new either way. */
  readonly cordon: readonly CordonRequest[];
  /** Null: it is silent. What it ran when it was last heard stands in the list of workloads. */
  readonly workloads: number | null;
  /** How far it is from empty; null = it is in service. */
  readonly drain: DrainReport | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly kernel: string | null;
  readonly engine: string | null;
  readonly peerAddress: string | null;
  /** Signs that it may soon fail, and kinds of signs that cannot be looked for there, each with the reason. */
  readonly health: {
    readonly signs: readonly HealthSign[];
    readonly unread: readonly { readonly kind: string; readonly because: string }[];
  };
  /** Readings that failed on the node, in its own words. */
  readonly failures: readonly string[];
  /** Oldest first; only when asked for. */
  readonly history?: readonly NodePoint[];
}

export interface WorkloadAnswer {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly image: string;
  readonly containerId: string;
  /** As its node's last sample says; `silent`: that node is not heard any more, and whether it still runs there is not known. */
  readonly state: string;
  readonly cpuUsedCores: number | null;
  readonly memoryUsedBytes: number | null;
  readonly cpuLimitCores: number | null;
  readonly memoryLimitBytes: number | null;
  readonly constraints: Constraints;
  readonly lastMovedAt: number | null;
  /** Id of its open migration. */
  readonly migration: string | null;
  /** Nodes on which copies run that nothing explains. */
  readonly conflict: readonly string[];
}

export interface StatusAnswer {
  readonly at: number;
  readonly mode: string;
  /** Nothing is moved but what operators ask for; null = there is no pause. */
  readonly pause: Pause | null;
  readonly leader: { readonly holder: string | null; readonly url: string | null; readonly term: number };
  /** Whether the scheduler that answers is the leader. */
  readonly isLeader: boolean;
  /** All that have been heard lately. `differs`: it decides by other settings than the one that answers. */
  readonly schedulers: readonly { readonly url: string; readonly leads: boolean; readonly differs: boolean }[];
  readonly imbalance: number | null;
  readonly nodes: Readonly<Record<Verdict["verdict"], number>>;
  /** Of all nodes, those that are cordoned for themselves. */
  readonly cordoned: number;
  readonly workloads: number;
  readonly migrationsOpen: number;
  readonly planAt: number | null;
  readonly openWindows: readonly { readonly action: string; readonly node: string | null; readonly until: number }[];
  readonly tickSeconds: number;
  /** Since when the policies' settings are in force, and why the newest ones are not. */
  readonly policies: ReloadState;
}

export interface MaintenanceAnswer {
  readonly drain: DrainReport;
  /** Ids of the workloads that an undrain with `bringHome` calls back. */
  readonly comingHome: readonly string[];
  /** What an undrain could not lift: a file on the node, or a window. */
  readonly stillAskedForBy: readonly MaintenanceRequest[];
  /** Cordons that were set for themselves, and stand whatever becomes of the maintenance. */
  readonly cordon: readonly CordonRequest[];
}

export interface CordonAnswer {
  readonly node: string;
  readonly cordon: readonly CordonRequest[];
  /** What an uncordon could not lift: a file on the node. */
  readonly stillAskedForBy: readonly CordonRequest[];
  /** Under maintenance it takes nothing new either. */
  readonly maintenance: readonly MaintenanceRequest[];
}

export interface PauseAnswer {
  readonly pause: Pause | null;
}

export interface ForgetAnswer {
  readonly forgotten: string;
  /** Ids of the migrations that it had left open as a source. */
  readonly settled: readonly string[];
}

export interface ApprovalAnswer {
  /** Ids of the migrations. */
  readonly started: readonly string[];
  /** The same, with what is moved and why it is now. */
  readonly moves: readonly (Pick<Move, "workload" | "to" | "because"> & { readonly id: string })[];
  /** Approved moves that are not made. */
  readonly dropped: readonly Pick<Move, "workload" | "to" | "because">[];
  /** Nodes that are being put to sleep. */
  readonly power: readonly { readonly node: string; readonly to: PowerChange["to"] }[];
  /** Approved changes of power that are not made. */
  readonly powerDropped: readonly { readonly node: string; readonly to: PowerChange["to"]; readonly because: string }[];
}

export interface SnapshotAnswer {
  readonly snapshot: Snapshot;
  readonly policies: PolicyConfig;
}

export interface DoctorAnswer {
  readonly nodes: readonly {
    readonly node: string;
    readonly checks: readonly Check[];
    /** What it can do of the ways to move memory. */
    readonly modes: readonly string[];
  }[];
  /** Those that were looked at; from one node to another, for it matters which way. */
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly findings: readonly Finding[] }[];
  /** How many there are; in large fleets each node is compared with some others only. */
  readonly pairsInAll: number;
}

export interface PreflightAnswer {
  readonly workload: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Nothing is known to stand in the way. */
  readonly isClear: boolean;
  /** Why the policies would not allow it; null = they would. */
  readonly refusal: Skip | null;
  /** Blockers first. */
  readonly findings: readonly Finding[];
}

export interface ErrorAnswer {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly retryable: boolean;
    readonly facts: Readonly<Record<string, unknown>>;
  };
}

export interface Answers {
  readonly nodes: { readonly nodes: readonly NodeAnswer[] };
  readonly workloads: { readonly workloads: readonly WorkloadAnswer[] };
  readonly plan: { readonly plan: PublishedPlan | null };
  readonly migrations: { readonly migrations: readonly MigrationRecord[] };
  readonly migration: { readonly migration: MigrationRecord };
  readonly drain: { readonly drain: DrainReport };
  readonly audit: { readonly entries: readonly AuditEntry[] };
}
