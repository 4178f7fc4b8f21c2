import type { WorkloadSample } from "../../collector/protocol.js";
import type { MigrationRecord } from "../../platform/migration-record.js";
import { CLOCK_SKEW_SECONDS } from "../../policies/clock-skew.js";
import type { PlacedWorkload } from "./place-workloads.js";
import type { FleetReading } from "./read-fleet.js";

/** When a node was last heard, and whether that may still be believed. */
export interface NodeSeen {
  readonly at: number;
  readonly isHeard: boolean;
}

/** What the records say, with open migrations by workload: a fleet has too many workloads to search the list for each. */
export interface Records extends Pick<FleetReading, "owners" | "lastMoved" | "closedMigrations"> {
  readonly migrations: ReadonlyMap<string, MigrationRecord>;
  /** Every node that is known. */
  readonly seen: ReadonlyMap<string, NodeSeen>;
}

/** Where the records say it should be; null when they say nothing. */
export function expectedNode(id: string, { migrations, owners }: Records): string | null {
  const migration = migrations.get(id);
  if (migration !== undefined) return migration.outcome === "committed" ? migration.to : migration.from;
  return owners[id] ?? null;
}

/**
 * Ids of workloads of which only the records tell: they are under way, or have just come to a node that has not reported since. `isPlaced`: those
 * that a sample shows or that are remembered.
 */
export function listUnread({ owners, lastMoved, migrations, seen }: Records, isPlaced: (id: string) => boolean): string[] {
  const unread = new Set([...migrations.keys()].filter((id) => !isPlaced(id)));
  for (const [id, movedAt] of Object.entries(lastMoved)) {
    const node = seen.get(owners[id] ?? "");
    if (node !== undefined && movedAt + CLOCK_SKEW_SECONDS >= node.at && !isPlaced(id)) unread.add(id);
  }
  return [...unread];
}

/**
 * Where a workload is that no sample shows: one node has let it go and the other has not reported yet, or its node is silent, which does not mean
 * that it has stopped. Null: it is gone.
 * @param last where it was before, as far as whoever looks remembers
 */
export function placeUnseen(
  id: string,
  last: PlacedWorkload | undefined,
  records: Records,
): Pick<PlacedWorkload, "node" | "reading" | "readAt"> | null {
  const { migrations, lastMoved, seen, closedMigrations } = records;
  const movedAt = (lastMoved[id] ?? 0) + CLOCK_SKEW_SECONDS;
  // Records that are older than what was seen of it say nothing: it may have been started elsewhere by hand.
  const isByRecord = migrations.has(id) || movedAt >= (last?.readAt ?? 0);
  const node = (isByRecord ? expectedNode(id, records) : null) ?? last?.node;
  const home = node === undefined ? undefined : seen.get(node);
  if (node === undefined || home === undefined) return null;
  const isAwaited = migrations.has(id) || movedAt >= home.at;
  if (home.isHeard && !isAwaited) return null;
  if (last !== undefined) return { node, reading: last.reading, readAt: last.readAt };
  const record = migrations.get(id) ?? closedMigrations.find(({ workload }) => workload === id);
  return { node, reading: unread(id, record), readAt: null };
}

/** A reading in which all is unknown but who it is. */
function unread(id: string, record: MigrationRecord | undefined): WorkloadSample {
  return {
    id,
    containerId: record?.containerId ?? "",
    name: record?.name ?? id,
    image: "",
    state: "running",
    startedAt: null,
    cpuUsedCores: null,
    memoryUsedBytes: null,
    memoryLimitBytes: null,
    cpuLimitCores: null,
    pids: null,
    labels: {},
  };
}
