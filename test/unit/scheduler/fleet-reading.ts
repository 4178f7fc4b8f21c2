import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { PictureContext } from "../../../scheduler/fleet/build-snapshot.js";
import { rememberFirstSeen } from "../../../scheduler/fleet/maintenance.js";
import type { FleetReading } from "../../../scheduler/fleet/read-fleet.js";
import { rememberRecentUse } from "../../../scheduler/fleet/recent-use.js";
import { rememberLoads } from "../../../scheduler/fleet/remember-loads.js";
import { containerIdOf, makeSample, type ReportedNode } from "../../support/reported-fleet.js";

/** What a scheduler has read at `at` of nodes that report and whose executors are heard. `flags`: texts in the maintenance hash, by node. */
export function readingOf(
  at: number,
  nodes: readonly ReportedNode[],
  { flags = {}, ...more }: Partial<FleetReading> & { readonly flags?: Readonly<Record<string, string>> } = {},
): FleetReading {
  return {
    at,
    nodes: nodes.map((node) => ({
      id: node.id,
      lastSeenAt: at,
      sample: makeSample(node, at),
      trouble: null,
      identity: null,
      history: [],
      flag: flags[node.id] ?? null,
      cordon: null,
    })),
    owners: {},
    lastMoved: {},
    executors: new Map(nodes.map(({ id }) => [id, { at, lostSince: null, reached: [], unreachable: [] }])),
    power: new Map(),
    homecomings: new Map(),
    flagDates: new Map(),
    pause: null,
    patterns: new Map(),
    openMigrations: [],
    closedMigrations: [],
    ...more,
  };
}

export const makeContext = (): PictureContext => ({
  windows: [],
  onlyAsked: false,
  firstSeen: rememberFirstSeen(),
  remembered: new Map(),
  endedNames: new Map(),
  recentUse: rememberRecentUse(),
  loads: rememberLoads(),
  smoothingSeconds: 20,
  powerSaving: null,
  powerDeadlineSeconds: 300,
  sampleTtlSeconds: 20,
});

/** The record of a drain's move from n1 to n2 that took ten seconds and was well, unless `changes` say otherwise. */
export function closedMove(name: string, closedAt: number, changes: Partial<MigrationRecord> = {}): MigrationRecord {
  return {
    id: `${name}-${closedAt}`,
    workload: containerIdOf(name),
    name,
    containerId: containerIdOf(name),
    from: "n1",
    to: "n2",
    reason: "maintenance",
    because: "a test",
    mode: "auto",
    modeUsed: "stopcopy",
    modeBecause: null,
    members: [],
    forecast: null,
    epoch: 1,
    stage: "cleanup",
    outcome: "committed",
    createdAt: closedAt - 10,
    updatedAt: closedAt,
    closedAt,
    result: "succeeded",
    errorCode: null,
    errorMessage: null,
    blockers: [],
    blackoutSeconds: 0.4,
    predictedBlackoutSeconds: null,
    restoreSteps: {},
    bytes: {},
    timeline: [],
    rounds: [],
    progress: null,
    ...changes,
  };
}
