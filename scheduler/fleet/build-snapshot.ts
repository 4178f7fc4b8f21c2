import type { MigrationRecord } from "../../platform/migration-record.js";
import type { Lessons } from "../../policies/cost/learn.js";
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
import type { RecentUse } from "./recent-use.js";
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
}

export interface PictureContext {
  readonly windows: readonly OpenWindow[];
  /** What nobody has asked for is held back by the mode. */
  readonly onlyAsked: boolean;
  readonly firstSeen: FirstSeen;
  /** Where each workload was when last seen; kept by the caller from one picture to the next. */
  readonly remembered: ReadonlyMap<string, PlacedWorkload>;
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
  const requests = new Map<string, readonly MaintenanceRequest[]>(
    reading.nodes.map((node) => [
      node.id,
      maintenanceRequests(node, windowMaintenance(context.windows, node.id), context.firstSeen, reading.at),
    ]),
  );
  const cordons = new Map(
    reading.nodes.flatMap((node) => {
      const asked = cordonRequests(node, context.firstSeen, reading.at);
      return asked.length === 0 ? [] : [[node.id, asked] as const];
    }),
  );
  const pause = parsePause(reading.pause, context.firstSeen, reading.at);
  const placed = placeWorkloads(reading, context.remembered);
  const sampleAt = new Map(reading.nodes.flatMap(({ id, sample }) => (sample === null ? [] : [[id, sample.at] as const])));
  context.recentUse.follow(placed, sampleAt, context.smoothingSeconds);
  const lessons = learnFromRecords(reading.closedMigrations);
  const refusals = readRefusals(reading.closedMigrations, reading.at);
  const past: Past = { moves: movesOfLastDay(reading), refusals, lessons, loads: context.loads };
  const lostPeers = findLostPeers(reading.executors, reading.at);
  const snapshot: Snapshot = {
    at: reading.at,
    sampleTtlSeconds: context.sampleTtlSeconds,
    nodes: reading.nodes.map((node) =>
      nodeState(node, requests.get(node.id) ?? [], context.smoothingSeconds, {
        health: healthSigns(node, lostPeers),
        ...(node.sample !== null && !isExecutorHeard(reading.executors.get(node.id), reading.at) && { executorSilent: true }),
        ...(reading.patterns.has(node.id) && { pastDays: reading.patterns.get(node.id)! }),
        linkBytesPerSecond: lessons.linkOf.get(node.id) ?? null,
        ...(lessons.noPrecopyFrom.has(node.id) && { whyNoPrecopy: lessons.noPrecopyFrom.get(node.id)! }),
        ...mergeCordons(cordons.get(node.id) ?? []),
        ...judgePower(reading.power.get(node.id), node.sample?.at ?? null, reading.at, context.powerDeadlineSeconds),
      }),
    ),
    workloads: placed.flatMap((workload) => workloadStates(workload, reading, past, context.recentUse)),
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
  return { snapshot, reading, placed, requests, cordons, pause };
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
    "cordoned" | "cordonedBecause" | "health" | "linkBytesPerSecond" | "pastDays" | "whyNoPrecopy" | "power" | "wokenAt"
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

/** A workload in conflict stands on each node that runs it, so that none of them counts as empty, and is never moved. */
function workloadStates(placed: PlacedWorkload, reading: FleetReading, past: Past, recentUse: RecentUse): WorkloadState[] {
  const { reading: sample } = placed;
  const moves = past.moves.get(placed.id) ?? [];
  const refusals = past.refusals.get(sample.containerId);
  const cpuPast = past.loads.of(placed.id);
  const constraints = readConstraints(sample.labels);
  const state: WorkloadState = {
    id: placed.id,
    name: sample.name,
    node: placed.node,
    cpuUsedCores: sample.cpuUsedCores,
    memoryUsedBytes: sample.memoryUsedBytes,
    ...recentUse.of(placed.id),
    cpuLimitCores: sample.cpuLimitCores,
    memoryLimitBytes: sample.memoryLimitBytes,
    constraints: placed.conflict.length === 0 ? constraints : { ...constraints, mode: "never" },
    lastMovedAt: reading.lastMoved[placed.id] ?? null,
    lastMovedFrom: moves[0]?.from ?? null,
    past: past.lessons.pastOf.get(placed.id) ?? null,
    recentMoves: moves.map(({ closedAt, updatedAt }) => closedAt ?? updatedAt),
    ...(cpuPast && { cpuPast }),
    ...(refusals && { refusals }),
    ...(sample.networks && { networks: sample.networks }),
  };
  return placed.conflict.length === 0 ? [state] : placed.conflict.map((node) => ({ ...state, node }));
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
  return closedMigrations
    .filter(({ errorCode, result }) => result !== "cancelled" && !UNTRIED.has(errorCode ?? ""))
    .slice(0, RECENT_MIGRATIONS)
    .map(({ closedAt, blackoutSeconds, result }) => ({ closedAt: closedAt ?? 0, blackoutSeconds, succeeded: result === "succeeded" }))
    .reverse();
}
