import type { MigrationRecord } from "../../platform/migration-record.js";
import type { PolicyConfig } from "../../policies/config.js";
import { type DrainStatus, drainStatus, provesEmpty } from "../../policies/maintenance/drain-status.js";
import { lossesIn } from "../../policies/say-losses.js";
import type { Plan } from "../../policies/types.js";
import type { FleetPicture } from "./build-snapshot.js";
import type { MaintenanceRequest } from "./maintenance.js";
import { workloadIdOf } from "./place-workloads.js";

export interface DrainReport {
  readonly node: string;
  readonly state: "in-service" | "draining" | "drained" | "unknown";
  readonly requests: readonly MaintenanceRequest[];
  readonly since: number | null;
  readonly deadline: number | null;
  readonly deadlinePassed: boolean;
  /** Workloads that left it for this drain. */
  readonly moved: number;
  readonly remaining: readonly RemainingWorkload[];
  /** Epoch seconds, from the pace so far, before that from what the moves are expected to cost; null = unknown, or something stays for good. */
  readonly expectedEmptyAt: number | null;
}

export interface RemainingWorkload {
  readonly workload: string;
  readonly name: string;
  readonly status: "moving" | "waiting" | "blocked";
  readonly because: string;
}

/**
 * How far a node is. `drained` takes a fresh sample from after the drain was asked for that shows nothing running, and no migration that touches the node.
 * @param plan the newest, where it is at hand: it knows for whom room is being made.
 */
export function reportDrain(
  picture: FleetPicture,
  nodeId: string,
  config: PolicyConfig,
  plan: Pick<Plan, "skips"> | null = null,
): DrainReport | null {
  const node = picture.snapshot.nodes.find(({ id }) => id === nodeId);
  const reading = picture.reading.nodes.find(({ id }) => id === nodeId);
  if (node === undefined || reading === undefined) return null;
  const { at } = picture.reading;
  const requests = picture.requests.get(nodeId) ?? [];
  const status = drainStatus(picture.snapshot, nodeId, config);
  const remaining = listRemaining(picture, nodeId, status, plan);
  const touched = picture.snapshot.migrations.some(({ from, to }) => from === nodeId || to === nodeId);
  const { sample } = reading;
  const shows = sample !== null && sample.workloads.length === 0 && provesEmpty(sample.at, node.maintenance);
  const isEmpty = shows && remaining.length === 0 && !touched;
  const since = node.maintenance?.since ?? null;
  const deadline = node.maintenance?.deadline ?? null;
  const leaving = new Set(remaining.map(({ workload }) => workload));
  // One that has left may still stand in the node's last sample: it counts once, as remaining.
  const departures = since === null ? [] : departuresSince(picture, nodeId, since).filter(({ workload }) => !leaving.has(workload));
  return {
    node: nodeId,
    state: node.maintenance === null ? "in-service" : sample === null ? "unknown" : isEmpty ? "drained" : "draining",
    requests,
    since,
    deadline,
    deadlinePassed: deadline !== null && at > deadline && !isEmpty,
    moved: departures.length,
    remaining,
    expectedEmptyAt: isEmpty ? at : expectEmpty(at, departures, remaining, status.movableSeconds),
  };
}

/** Of every node under maintenance. */
export function reportDrains(picture: FleetPicture, config: PolicyConfig, plan: Pick<Plan, "skips"> | null = null): DrainReport[] {
  return picture.snapshot.nodes.flatMap((node) => {
    const report = node.maintenance === null ? null : reportDrain(picture, node.id, config, plan);
    return report === null ? [] : [report];
  });
}

function listRemaining(picture: FleetPicture, nodeId: string, status: DrainStatus, plan: Pick<Plan, "skips"> | null): RemainingWorkload[] {
  const waitedFor = new Map(
    plan?.skips.flatMap(({ workload, reason, because }) => (reason === "room-being-made" ? [[workload, because]] : [])),
  );
  const named = new Map<string, string>();
  for (const { id, node, reading, conflict } of picture.placed) {
    if (node === nodeId || conflict.includes(nodeId)) named.set(id, reading.name);
  }
  const sample = picture.reading.nodes.find(({ id }) => id === nodeId)?.sample;
  for (const workload of sample?.workloads ?? []) named.set(workloadIdOf(workload), workload.name);
  const losses = lossesIn(picture.snapshot);
  const blockedBy = new Map(status.blocked.map((skip) => [skip.workload, skip.because]));
  const unread = new Set(picture.placed.flatMap(({ id, readAt }) => (readAt === null ? [id] : [])));
  const conflicts = new Map(picture.placed.flatMap((workload) => (workload.conflict.length > 0 ? [[workload.id, workload]] : [])));
  const migrations = new Map(picture.reading.openMigrations.map((record) => [record.workload, record]));
  return [...named].sort().map(([workload, name]) => {
    const migration = migrations.get(workload);
    if (migration !== undefined) {
      return { workload, name, status: "moving", because: `${migration.stage}, to ${migration.to} (${migration.id})` };
    }
    const twice = conflicts.get(workload);
    if (twice?.isCertain)
      return { workload, name, status: "blocked", because: `runs on ${twice.conflict.join(" and ")} at once: stop all but one` };
    if (twice)
      return { workload, name, status: "waiting", because: "was seen on two nodes; their next samples will show whether it is still" };
    if (unread.has(workload))
      return { workload, name, status: "waiting", because: "has come by the records; the node's next sample will show it" };
    const blocked = blockedBy.get(workload);
    const room = waitedFor.get(workload);
    if (blocked !== undefined && room !== undefined) return { workload, name, status: "waiting", because: room };
    if (blocked !== undefined) return { workload, name, status: "blocked", because: blocked };
    const loss = losses.get(workload);
    const turn = loss === undefined ? "waits for its turn" : `waits for its turn. ${loss}`;
    const because = status.movable.includes(workload) ? turn : "has left; the node's next sample will show it";
    return { workload, name, status: "waiting", because };
  });
}

export function departuresSince({ reading }: Pick<FleetPicture, "reading">, node: string, since: number): MigrationRecord[] {
  return reading.closedMigrations.filter(
    (record) => record.from === node && record.reason === "maintenance" && record.outcome === "committed" && record.createdAt >= since,
  );
}

function expectEmpty(
  at: number,
  departures: readonly MigrationRecord[],
  remaining: readonly RemainingWorkload[],
  movableSeconds: number,
): number | null {
  if (remaining.length === 0 || remaining.some(({ status }) => status === "blocked")) return null;
  if (departures.length === 0) return movableSeconds > 0 ? at + movableSeconds : null;
  const first = Math.min(...departures.map(({ createdAt }) => createdAt));
  const last = Math.max(...departures.map(({ closedAt }) => closedAt ?? 0));
  // The next one may take longer than those before: a drain that has come to a halt must not be nearly done for ever.
  return at + Math.max((last - first) / departures.length, at - last) * remaining.length;
}
