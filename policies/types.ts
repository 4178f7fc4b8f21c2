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
  /** Times in which nothing is moved unless an operator asks; whoever builds the snapshot reads the calendar. */
  readonly windows?: readonly MoveWindow[];
  /** Only what an operator has asked for (drains and what follows them) is carried out; everything else is planned to be shown. */
  readonly onlyAsked?: boolean;
  /** Nodes whose drain is over, and what an operator wants back on them. */
  readonly homecomings?: readonly Homecoming[];
  /** When nodes may be put to sleep; absent or null = at any time. */
  readonly powerSaving?: PowerSavingWindow | null;
  /** For so long a reading is believed: a longer silence proves nothing about the time in between; absent = as DEFAULT_SAMPLE_TTL_SECONDS. */
  readonly sampleTtlSeconds?: number;
  /** When a move for balance was last under way; absent or null = not lately. */
  readonly levelledAt?: number | null;
  /** Those closed of late, newest last, of one workload's failures in a row the first: what the limits on concurrency learn from. */
  readonly recentMigrations?: readonly ClosedMigration[];
}

/** As the collector has it where nothing is configured. */
export const DEFAULT_SAMPLE_TTL_SECONDS = 20;

export interface Homecoming {
  readonly node: string;
  /** Ids of those that left it for the drain and have not been moved since. */
  readonly workloads: readonly string[];
}

export interface PowerSavingWindow {
  readonly active: boolean;
  /** Epoch seconds; null while it is closed. */
  readonly endsAt: number | null;
}

export interface ClosedMigration {
  readonly closedAt: number;
  /** Null: it never froze. */
  readonly blackoutSeconds: number | null;
  readonly succeeded: boolean;
}

export interface MoveWindow {
  /** Null: the whole fleet. */
  readonly node: string | null;
  /** Whether the window is open at the snapshot's `at`. */
  readonly active: boolean;
  readonly reason: string;
}

/**
 * What Evenkeel itself has made of a node's power. `closing`: it is awake and gets nothing new, until a reading from after that was noted shows
 * that nothing runs there, or it is no longer to sleep. `falling-asleep`: it has been told to, and may still report. `asleep`: it is silent because
 * of that. `waking`: it has been called, and is waited for.
 */
export type PowerState = "closing" | "falling-asleep" | "asleep" | "waking";

export interface NodeState {
  readonly id: string;
  /** `unknown`: silent, or its readings failed. Neither source nor target. */
  readonly state: "ready" | "unknown";
  /** It is silent, and what it ran when it was heard is not known either; absent = what is known of its workloads stands with them. */
  readonly contentUnknown?: boolean;
  readonly cpuCapacityCores: number;
  readonly memoryCapacityBytes: number;
  /** Smoothed use of the whole node, workloads and all else. */
  readonly cpuUsedCores: number | null;
  readonly memoryUsedBytes: number | null;
  /** Of its capacity neither used nor to be had, since the machine that the node is a part of has no more; absent = 0. */
  readonly memoryWithheldBytes?: number;
  /** Oldest first; what the hold time is judged on. The last is of the reading that shows its workloads. */
  readonly history: readonly NodePoint[];
  /** Means of earlier days around the present time of day, oldest first; absent = not known. */
  readonly pastDays?: readonly NodePoint[];
  readonly maintenance: Maintenance | null;
  /** `io.evenkeel.zone` is the node's zone, for spreading. */
  readonly labels: Readonly<Record<string, string>>;
  /** Nothing new is placed there, and what is there stays unless it must leave. */
  readonly cordoned?: boolean;
  /** What was said when it was cordoned; absent = it is not, or nothing was. */
  readonly cordonedBecause?: string;
  /** Absent or null: awake, as far as Evenkeel has a part in it. */
  readonly power?: PowerState | null;
  /** Epoch seconds of when it was last woken; absent or null = not lately. */
  readonly wokenAt?: number | null;
  /** Epoch seconds of when its hook last failed to wake it from the sleep that it is in; absent or null = it did not. */
  readonly wakeFailedAt?: number | null;
  /** The node reports, but its executor has never been heard or has fallen silent: nobody there could move anything. */
  readonly executorSilent?: boolean;
  /** Signs that the node may soon fail; what they are worth is for the health policy to say. */
  readonly health?: readonly HealthSign[];
  /** Bytes a second that a migration gets to or from this node; absent or null = not measured. */
  readonly linkBytesPerSecond?: number | null;
  /** Why memory cannot be copied ahead from there, as the last move that left it found; absent = it can, or nobody knows. */
  readonly whyNoPrecopy?: string;
  /** As `uname -m` says; absent = not known, which fits everything. */
  readonly architecture?: string | null;
  /** Names of the container networks that exist there; absent = not known, which fits everything. */
  readonly networks?: readonly string[] | null;
  /** Names of containers there that do not run, or some of them; absent = none, or not known. */
  readonly endedNames?: readonly string[];
  /** Which CPU it has, and those whose running programs it cannot take over; absent = not known, which fits everything. */
  readonly cpuKind?: string | null;
  readonly refusedCpus?: readonly string[];
}

export const HEALTH_SIGNS = [
  "disk-failing",
  "memory-errors",
  "overheating",
  "read-only-filesystem",
  "out-of-memory-kills",
  "pressure-stall",
  "peers-lost",
] as const;

export type HealthSignKind = (typeof HEALTH_SIGNS)[number];

export interface HealthSign {
  readonly kind: HealthSignKind;
  readonly since: number;
  /** What was read, for a person: `nvme0: critical warning 0x04`. */
  readonly detail: string;
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
  /** Epoch seconds of when it was last asked for, again or by somebody else: only what is read after that proves the node empty. Absent = since. */
  readonly askedAt?: number;
}

export type MigrationMode = "precopy" | "stopcopy" | "postcopy" | "cold";

export interface WorkloadState {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  /** Latest readings. */
  readonly cpuUsedCores: number | null;
  readonly memoryUsedBytes: number | null;
  /** The CPU readings before it, smoothed as a node's are, and the most of the last minute or two; absent = only the latest is known. */
  readonly cpuSmoothedCores?: number;
  readonly cpuPeakCores?: number;
  /** What is remembered of its CPU; absent or null = nothing. */
  readonly cpuPast?: LoadPast | null;
  /** Limits set on the container; null = none. */
  readonly cpuLimitCores: number | null;
  readonly memoryLimitBytes: number | null;
  readonly constraints: Constraints;
  /** Only records tell of it, and `constraints` says nothing: it may be of any group. */
  readonly labelsUnknown?: boolean;
  readonly lastMovedAt: number | null;
  /** The node it left at lastMovedAt; lets that node settle before it is judged again. */
  readonly lastMovedFrom?: string | null;
  /** Epoch seconds of its moves in the last day, in any order; absent = only lastMovedAt is known. */
  readonly recentMoves?: readonly number[];
  /** Moves of it that were refused or failed, newest of each destination; absent = none. */
  readonly refusals?: readonly MoveRefusal[];
  /** Memory written anew each second; absent or null = not measured. */
  readonly dirtyBytesPerSecond?: number | null;
  /** Files that travel with it: volumes and what it changed of its image. */
  readonly fileBytes?: number | null;
  /** What its own last moves took; absent or null = it was not moved yet. */
  readonly past?: PastMoves | null;
  /** Of its image, where that is known to be another than its node's; absent = as its node's. */
  readonly architecture?: string | null;
  /** Names of the container networks that it is attached to; absent = not known, which goes everywhere. */
  readonly networks?: readonly string[];
  /** Names of its volumes that another node may have too; absent = none, or not known. */
  readonly volumes?: readonly string[];
  /** What of its mounts keeps it on its node, as the executors' preflight has it; absent = nothing, or not known, which goes everywhere. */
  readonly boundBy?: readonly Bond[];
}

/** `code` is one of docs/preflight.md. */
export interface Bond {
  readonly code: string;
  readonly because: string;
}

/** Exponentially weighted by age. */
export interface LoadPast {
  /** Epoch seconds of the newest reading in it. */
  readonly at: number;
  /** How long it has been watched, as far as that still counts. */
  readonly seconds: number;
  /** In cores, and the variance of one reading around it. */
  readonly mean: number;
  readonly variance: number;
}

/** A move that came to nothing: asking again at once would only come to nothing again. */
export interface MoveRefusal {
  readonly at: number;
  /** Null: it is the workload's own doing, so every destination would say the same. */
  readonly to: string | null;
  /** What was in the way: a code of docs/preflight.md or docs/errors.md, and the sentence that goes with it. */
  readonly code: string;
  readonly because: string;
  /** It may go well soon without anyone changing anything. */
  readonly passes: boolean;
  /** How often the same was in the way in the last day, wherever it was to go; absent = once. */
  readonly times?: number;
}

/** Medians over a workload's latest moves. */
export interface PastMoves {
  readonly count: number;
  readonly fileBytes: number;
  /** Sent of its memory, rounds that were sent again included. */
  readonly memoryBytes: number;
  /** How long it stood still, by the mode that it was moved in; a mode that is not there was not used. */
  readonly blackoutSecondsIn?: Readonly<Partial<Record<MigrationMode, number>>>;
  /** Memory written anew each second, as the rounds of pre-copy found it; absent or null = none of them was moved so. */
  readonly dirtyBytesPerSecond?: number | null;
  /** Sent of its files while it stood still. */
  readonly frozenFileBytes?: number | null;
  /** Until it had ended, when it was moved cold; absent or null = it never was. */
  readonly stopSeconds?: number | null;
}

export interface Constraints {
  /** `never`: the operator has forbidden moves (label io.evenkeel.mode=never). */
  readonly mode: MigrationMode | "auto" | "auto+postcopy" | "never";
  /** Workloads of one group are kept on distinct nodes. */
  readonly antiAffinityGroup: string | null;
  /** Only these nodes may hold it; empty = any. */
  readonly pinnedTo: readonly string[];
  /** Workloads of one group are kept on one node (label io.evenkeel.affinity). */
  readonly affinityGroup?: string | null;
  /** Workloads of one group on one node are frozen, moved and resumed as one (label io.evenkeel.group); it is an affinity group too. */
  readonly group?: string | null;
  /** Workloads of one group are kept in distinct zones (label io.evenkeel.zone-spread). */
  readonly zoneSpreadGroup?: string | null;
  /** No more than `moving` workloads of the group are under way at once (label io.evenkeel.disruption-budget=GROUP/COUNT). */
  readonly disruptionBudget?: { readonly group: string; readonly moving: number } | null;
  /** Higher is disturbed later; 0 is usual (label io.evenkeel.priority). */
  readonly priority?: number;
  /** Its owner lets it be stopped and started anew (labels io.evenkeel.mode=cold and io.evenkeel.fallback=cold). */
  readonly mayGoCold?: boolean;
  /** Its owner lets a move close the connections that cannot follow it (label io.evenkeel.connections=close). */
  readonly closesConnections?: boolean;
}

export interface OpenMigration {
  readonly id: string;
  readonly workload: string;
  readonly from: string;
  readonly to: string;
}

/** Why a move is made; `room`: so that another node has room for what an overloaded one must lose. */
export type MoveReason =
  | "overload"
  | "room"
  | "maintenance"
  | "operator"
  | "health"
  | "balance"
  | "consolidate"
  | "placement"
  | "homecoming";

export interface Move {
  readonly workload: string;
  readonly from: string;
  readonly to: string;
  readonly reason: MoveReason;
  /** One sentence for a person, with the numbers that decided. */
  readonly because: string;
  readonly cost?: MoveCost;
}

/** What a move is expected to take, from the workload's memory, dirty rate and files and the link between the two nodes. */
export interface MoveCost {
  /** The mode that is expected to be used. */
  readonly mode: MigrationMode;
  readonly bytes: number;
  /** Of these: files; null = never measured, and not among them. */
  readonly fileBytes: number | null;
  readonly seconds: number;
  readonly blackoutSeconds: number;
  /** Memory that it writes anew each second; null = never measured, and then all of it is taken to be sent in the freeze. */
  readonly dirtyBytesPerSecond: number | null;
  /** How many of its own moves told bytes and blackout; 0 = none did, and its size and the link stand for them. */
  readonly learnedFromMoves: number;
  /** What is expected of each mode that its label allows, the expected one included; absent = the move is not planned yet, only weighed. */
  readonly modes?: readonly ModeOutlook[];
}

export interface ModeOutlook {
  readonly mode: MigrationMode;
  readonly blackoutSeconds: number;
  /** Why it would not be taken, though the label allows it; null = it could be. */
  readonly whyNot: string | null;
}

/** One candidate that was not moved, and why. `to` is null when no single destination is to blame. */
export interface Skip {
  readonly workload: string;
  readonly from: string;
  readonly to: string | null;
  readonly reason: SkipReason;
  readonly because: string;
}

/** Why a candidate stays; docs/policies.md explains each. */
export const SKIP_REASONS = [
  "workload-missing",
  "workload-never",
  "workload-pinned",
  "workload-bound",
  "workload-migrating",
  "workload-refused",
  "workload-cooling-down",
  "workload-moved-too-often",
  "workload-unknown-usage",
  "source-unknown",
  "executor-silent",
  "source-busy",
  "source-cordoned",
  "fleet-busy",
  "disruption-budget",
  "move-window",
  "budget-spent",
  "not-home",
  "target-unknown",
  "target-asleep",
  "target-maintenance",
  "target-cordoned",
  "target-suspect",
  "target-avoided",
  "target-incompatible",
  "target-cpu-differs",
  "target-without-network",
  "target-has-name",
  "target-has-volume",
  "target-refused",
  "target-cpu-full",
  "target-memory-full",
  "target-busy",
  "target-settling",
  "anti-affinity",
  "affinity",
  "zone-spread",
  "gain-too-small",
  "cost-too-high",
  "room-being-made",
  "no-target",
  "not-needed",
] as const;

export type SkipReason = (typeof SKIP_REASONS)[number];

export interface Verdict {
  readonly node: string;
  readonly verdict: "level" | "warming" | "overloaded" | "draining" | "drained" | "suspect" | "asleep" | "waking" | "unknown";
  readonly because: string;
}

/** A node that should sleep because nothing needs it, or wake because something will. */
export interface PowerChange {
  readonly node: string;
  readonly to: "sleep" | "wake";
  readonly because: string;
}

export interface Plan {
  readonly at: number;
  readonly verdicts: readonly Verdict[];
  /** In the order in which they are to be carried out. */
  readonly moves: readonly Move[];
  readonly skips: readonly Skip[];
  /** Empty unless power saving is on, or has been. */
  readonly power: readonly PowerChange[];
  /** Standard deviation of the known nodes' CPU ratio, now and as the plan would leave it. */
  readonly imbalanceBefore: number | null;
  readonly imbalanceAfter: number | null;
}
