import type { ExecutorReport } from "../../executor/protocol.js";
import type { MigrationRecord } from "../../platform/migration-record.js";
import type { Lessons } from "../../policies/cost/learn.js";
import { isAway } from "../../policies/power.js";
import {
  type ClosedMigration,
  HEALTH_SIGNS,
  type HealthSign,
  type MoveRefusal,
  type NodeState,
  type PowerSavingWindow,
  type Snapshot,
  type WorkloadState,
} from "../../policies/types.js";
import { judgePower } from "../power/power-record.js";
import { type OpenWindow, windowMaintenance } from "../windows.js";
import { type CordonRequest, cordonRequests, mergeCordons } from "./cordons.js";
import { datesOf, type FlagDates } from "./flag-dates.js";
import { findHomecomings } from "./homecomings.js";
import { findLostPeers, isExecutorHeard } from "./lost-peers.js";
import { type FirstSeen, type MaintenanceRequest, maintenanceRequests, mergeRequests } from "./maintenance.js";
import { learnFromRecords } from "./past-moves.js";
import { type Pause, parsePause } from "./pause.js";
import { type PlacedWorkload, placeWorkloads } from "./place-workloads.js";
import { readConstraints } from "./read-constraints.js";
import type { FleetReading } from "./read-fleet.js";
import type { NodeReading } from "./read-nodes.js";
import { readRefusals } from "./read-refusals.js";
import type { RecentUse, SampleTime } from "./recent-use.js";
import type { Loads } from "./remember-loads.js";
import { smoothRatio } from "./smooth.js";

const DAY_SECONDS = 86_400;
const RECENT_MIGRATIONS = 50;

/** One moment of the fleet: what decisions may see, and what people want to see besides. */
export interface FleetPicture {
  readonly snapshot: Snapshot;
  readonly reading: FleetReading;
  readonly placed: readonly PlacedWorkload[];
  readonly requests: ReadonlyMap<string, readonly MaintenanceRequest[]>;
  /** Of the nodes that are cordoned. */
  readonly cordons: ReadonlyMap<string, readonly CordonRequest[]>;
  readonly pause: Pause | null;
  /** Standing flags that have no date of their own, and when each was first seen. */
  readonly undatedFlags: FlagDates;
}

export interface PictureContext {
  readonly windows: readonly OpenWindow[];
  /** What nobody has asked for is held back by the mode. */
  readonly onlyAsked: boolean;
  readonly firstSeen: FirstSeen;
  /** Where each workload was when last seen; kept by the caller from one picture to the next. */
  readonly remembered: ReadonlyMap<string, PlacedWorkload>;
  /** Names of stopped containers that each node had then: one that sleeps has them still. */
  readonly endedNames: ReadonlyMap<string, readonly string[]>;
  /** What workloads used of late; takes in this picture's readings. */
  readonly recentUse: RecentUse;
  /** What is remembered of the workloads' CPU. */
  readonly loads: Pick<Loads, "of">;
  readonly smoothingSeconds: number;
  /** Null: nodes may sleep at any time. */
  readonly powerSaving: PowerSavingWindow | null;
  /** By when a node must have done what its power was told. */
  readonly powerDeadlineSeconds: number;
  readonly sampleTtlSeconds: number;
}

export function buildPicture(reading: FleetReading, context: PictureContext): FleetPicture {
  const dates = datesOf(reading, context.firstSeen);
  const requests = new Map<string, readonly MaintenanceRequest[]>(
    reading.nodes.map((node) => [node.id, maintenanceRequests(node, windowMaintenance(context.windows, node.id), dates, reading.at)]),
  );
  const cordons = new Map(
    reading.nodes.flatMap((node) => {
      const asked = cordonRequests(node, dates, reading.at);
      return asked.length === 0 ? [] : [[node.id, asked] as const];
    }),
  );
  const pause = parsePause(reading.pause, dates, reading.at);
  const placed = placeWorkloads(reading, context.remembered);
  context.recentUse.follow(placed, sampleTimes(reading), { smoothingSeconds: context.smoothingSeconds, lastMoved: reading.lastMoved });
  const lessons = learnFromRecords(reading.closedMigrations);
  const refusals = readRefusals(reading.closedMigrations, reading.at);
  const past: Past = { moves: movesOfLastDay(reading), refusals, lessons, loads: context.loads };
  const silent = new Set(reading.nodes.flatMap(({ id, sample }) => (sample === null ? [id] : [])));
  const lostPeers = findLostPeers(reading.executors, reading.at);
  const snapshot: Snapshot = {
    at: reading.at,
    sampleTtlSeconds: context.sampleTtlSeconds,
    nodes: reading.nodes.map((node) =>
      nodeState(node, requests.get(node.id) ?? [], context.smoothingSeconds, {
        health: healthSigns(node, lostPeers),
        ...(node.sample !== null && !isExecutorHeard(reading.executors.get(node.id), reading.at) && { executorSilent: true }),
        ...describeCpu(reading.executors.get(node.id)),
        endedNames: (node.sample === null ? context.endedNames.get(node.id) : node.sample.endedNames) ?? [],
        ...(reading.patterns.has(node.id) && { pastDays: reading.patterns.get(node.id)! }),
        linkBytesPerSecond: lessons.linkOf.get(node.id) ?? null,
        ...(lessons.noPrecopyFrom.has(node.id) && { whyNoPrecopy: lessons.noPrecopyFrom.get(node.id)! }),
        ...mergeCordons(cordons.get(node.id) ?? []),
        ...describePower(node, reading, context.powerDeadlineSeconds),
      }),
    ),
    workloads: workloadStates(placed, reading, { past, silent, recentUse: context.recentUse }),
    migrations: weighingMigrations(reading).map(({ id, workload, from, to }) => ({ id, workload, from, to })),
    windows: context.windows.flatMap(({ window, until }) =>
      window.action === "no-moves"
        ? [{ node: window.node ?? null, active: true, reason: `until ${new Date(until * 1000).toISOString()}` }]
        : [],
    ),
    onlyAsked: context.onlyAsked || pause !== null,
    homecomings: findHomecomings(reading, placed),
    powerSaving: context.powerSaving,
    recentMigrations: describeRecent(reading),
    levelledAt: lastLevelled(reading),
  };
  return { snapshot, reading, placed, requests, cordons, pause, undatedFlags: dates.standing };
}

function sampleTimes({ nodes }: FleetReading): Map<string, SampleTime> {
  return new Map(
    nodes.flatMap(({ id, sample, history }) =>
      sample === null ? [] : [[id, { at: sample.at, since: history.at(-2)?.at ?? sample.at }] as const],
    ),
  );
}

/** An aborted one holds nothing but its source any more; one that is silent cannot close it, and must not hold its destination for ever. */
function weighingMigrations({ nodes, openMigrations }: FleetReading): readonly MigrationRecord[] {
  const heard = new Set(nodes.flatMap(({ id, sample }) => (sample === null ? [] : [id])));
  return openMigrations.filter(({ outcome, from }) => outcome !== "aborted" || heard.has(from));
}

function nodeState(
  reading: NodeReading,
  requests: readonly MaintenanceRequest[],
  smoothingSeconds: number,
  more: Pick<
    NodeState,
    | "cordoned"
    | "cordonedBecause"
    | "contentUnknown"
    | "cpuKind"
    | "endedNames"
    | "refusedCpus"
    | "health"
    | "linkBytesPerSecond"
    | "pastDays"
    | "whyNoPrecopy"
    | "power"
    | "wokenAt"
    | "wakeFailedAt"
  >,
): NodeState {
  const { sample, identity, history } = reading;
  const cpuCapacityCores = sample?.cpuCapacityCores ?? identity?.cpuCapacityCores ?? 0;
  const memoryCapacityBytes = sample?.memoryCapacityBytes ?? identity?.memoryCapacityBytes ?? 0;
  const smooth = (resource: "cpuRatio" | "memoryRatio", capacity: number, latest: number | null | undefined) => {
    if (latest === null || latest === undefined) return null;
    const ratio = smoothRatio(history, resource, smoothingSeconds);
    return ratio === null ? latest : ratio * capacity;
  };
  return {
    id: reading.id,
    state: sample === null ? "unknown" : "ready",
    cpuCapacityCores,
    memoryCapacityBytes,
    cpuUsedCores: smooth("cpuRatio", cpuCapacityCores, sample?.cpuUsedCores),
    memoryUsedBytes: smooth("memoryRatio", memoryCapacityBytes, sample?.memoryUsedBytes),
    ...withheldMemory(sample),
    history: sample === null ? [] : history,
    maintenance: mergeRequests(requests),
    labels: identity?.labels ?? {},
    architecture: identity?.architecture ?? null,
    networks: identity?.networks ?? null,
    ...more,
  };
}

function describeCpu(report: ExecutorReport | undefined): Pick<NodeState, "cpuKind" | "refusedCpus"> {
  const { cpuKind, refusedCpus = [] } = report ?? {};
  return { ...(cpuKind && { cpuKind }), ...(refusedCpus.length > 0 && { refusedCpus }) };
}

/** Only what is empty is put to sleep: of no other node that has never been heard here is it known what it runs. */
function describePower(
  { id, sample, neverHeard }: NodeReading,
  { power, at }: FleetReading,
  deadlineSeconds: number,
): Pick<NodeState, "power" | "wokenAt" | "wakeFailedAt" | "contentUnknown"> {
  const judged = judgePower(power.get(id), sample?.at ?? null, at, deadlineSeconds);
  return { ...judged, ...(neverHeard && !isAway(judged) && { contentUnknown: true }) };
}

function withheldMemory(sample: NodeReading["sample"]): Pick<NodeState, "memoryWithheldBytes"> {
  const { memoryCapacityBytes = null, memoryUsedBytes = null, memoryAvailableBytes = null } = sample ?? {};
  if (memoryCapacityBytes === null || memoryUsedBytes === null || memoryAvailableBytes === null) return {};
  const memoryWithheldBytes = memoryCapacityBytes - memoryUsedBytes - memoryAvailableBytes;
  return memoryWithheldBytes > 0 ? { memoryWithheldBytes } : {};
}

const KNOWN_SIGNS: ReadonlySet<string> = new Set(HEALTH_SIGNS);

/** A sign of a kind that this version does not know is left out: a newer collector must not blind an older scheduler. */
function healthSigns({ id, sample }: NodeReading, lostPeers: ReadonlyMap<string, HealthSign>): HealthSign[] {
  // A silent node is unknown, which says more.
  if (sample === null) return [];
  const own = (sample.health?.signs ?? []).filter((sign): sign is HealthSign => KNOWN_SIGNS.has(sign.kind));
  const lost = lostPeers.get(id);
  return lost === undefined ? own : [...own, lost];
}

/** What closed records say of workloads and containers, and what was seen of them. */
interface Past {
  readonly moves: ReadonlyMap<string, readonly MigrationRecord[]>;
  readonly refusals: ReadonlyMap<string, readonly MoveRefusal[]>;
  readonly lessons: Lessons;
  readonly loads: Pick<Loads, "of">;
}

const NO_MOVES: readonly MigrationRecord[] = [];
const NO_TIMES: readonly number[] = [];

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Known {
  readonly past: Past;
  readonly recentUse: RecentUse;
  readonly silent: ReadonlySet<string>;
}

/** A workload in conflict stands on each node that runs it, so that none of them counts as empty, and is never moved. */
function workloadStates(placed: readonly PlacedWorkload[], reading: FleetReading, known: Known): WorkloadState[] {
  const states: WorkloadState[] = [];
  for (const workload of placed) {
    const state = workloadState(workload, reading, known);
    if (workload.conflict.length === 0) states.push(state);
    else for (const node of workload.conflict) states.push({ ...state, node });
  }
  return states;
}

/** Of what a silent node runs no use is known. */
function workloadState(placed: PlacedWorkload, reading: FleetReading, { past, recentUse, silent }: Known): WorkloadState {
  const { reading: sample, id, node, conflict } = placed;
  const isSilent = silent.has(node);
  const moves = past.moves.get(id) ?? NO_MOVES;
  const constraints = readConstraints(sample.labels);
  const { cpuSmoothedCores, cpuPeakCores } = recentUse.of(id);
  const cpuPast = past.loads.of(id);
  const refusals = past.refusals.get(sample.containerId);
  const state: Writable<WorkloadState> = {
    id,
    name: sample.name,
    node,
    cpuUsedCores: isSilent ? null : sample.cpuUsedCores,
    memoryUsedBytes: isSilent ? null : sample.memoryUsedBytes,
    cpuLimitCores: sample.cpuLimitCores,
    memoryLimitBytes: sample.memoryLimitBytes,
    constraints: conflict.length === 0 ? constraints : { ...constraints, mode: "never" },
    lastMovedAt: reading.lastMoved[id] ?? null,
    lastMovedFrom: moves[0]?.from ?? null,
    past: past.lessons.pastOf.get(id) ?? null,
    recentMoves: moves.length === 0 ? NO_TIMES : moves.map(({ closedAt, updatedAt }) => closedAt ?? updatedAt),
  };
  // Not by a spread for each, which is slow: a large fleet has tens of thousands of workloads.
  if (cpuSmoothedCores !== undefined) state.cpuSmoothedCores = cpuSmoothedCores;
  if (cpuPeakCores !== undefined) state.cpuPeakCores = cpuPeakCores;
  if (cpuPast) state.cpuPast = cpuPast;
  if (refusals) state.refusals = refusals;
  if (sample.networks) state.networks = sample.networks;
  if (sample.volumes) state.volumes = sample.volumes;
  if (sample.boundBy) state.boundBy = sample.boundBy;
  if (placed.readAt === null) state.labelsUnknown = true;
  return state;
}

/** Committed moves by workload, newest first. */
function movesOfLastDay({ at, closedMigrations }: FleetReading): Map<string, MigrationRecord[]> {
  const moves = new Map<string, MigrationRecord[]>();
  for (const record of closedMigrations) {
    if (record.outcome !== "committed" || (record.closedAt ?? 0) < at - DAY_SECONDS) continue;
    moves.set(record.workload, [...(moves.get(record.workload) ?? []), record]);
  }
  return moves;
}

function lastLevelled({ at, openMigrations, closedMigrations }: FleetReading): number | null {
  if (openMigrations.some(({ reason }) => reason === "balance")) return at;
  return closedMigrations.find(({ reason, outcome }) => reason === "balance" && outcome === "committed")?.closedAt ?? null;
}

/** Those that were called off or never got past the checks say nothing about how well the fleet bears moves. */
const UNTRIED: ReadonlySet<string> = new Set(["CANCELLED", "PREFLIGHT_BLOCKED", "RESERVATION_FAILED"]);

function describeRecent({ closedMigrations }: FleetReading): ClosedMigration[] {
  const tried = closedMigrations.filter(({ errorCode, result }) => result !== "cancelled" && !UNTRIED.has(errorCode ?? ""));
  return withoutRepeats(tried.reverse())
    .slice(-RECENT_MIGRATIONS)
    .map(({ closedAt, blackoutSeconds, result }) => ({ closedAt: closedAt ?? 0, blackoutSeconds, succeeded: result === "succeeded" }));
}

/** A workload that fails again and again says no more about the fleet than it did the first time. Oldest first. */
function withoutRepeats(records: readonly MigrationRecord[]): MigrationRecord[] {
  const failing = new Set<string>();
  return records.filter(({ workload, result }) => {
    if (result !== "failed") failing.delete(workload);
    else if (failing.has(workload)) return false;
    else failing.add(workload);
    return true;
  });
}
