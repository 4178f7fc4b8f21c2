import { LABELS, type NodeSample, type WorkloadSample } from "../../collector/protocol.js";
import type { MigrationRecord } from "../../platform/migration-record.js";
import { compareIds } from "../../policies/order.js";
import type { FleetReading } from "./read-fleet.js";

/** A workload, and the one node that is taken to hold it. */
export interface PlacedWorkload {
  readonly id: string;
  readonly node: string;
  readonly reading: WorkloadSample;
  /** Nodes on which copies run that nothing explains (a node may stand twice); empty = all is well. Such a workload is never moved. */
  readonly conflict: readonly string[];
  /**
   * For whom the conflict is certain: each node's copy beside the one that counts has been there in two samples. A clock that is ahead dates one
   * from before a move after it, and whoever then stopped the other copy would stop the only one. Until it is, nobody is told.
   */
  readonly isCertain: boolean;
  /** Of a conflict, the time of the sample in which each node first showed its copy beside the one that counts. */
  readonly shownAt: ReadonlyMap<string, number>;
}

const AT_PEACE = { conflict: [], isCertain: false, shownAt: new Map<string, number>() } as const;

/** Clocks of two nodes may differ by this much before a reading from before a commit is taken for one from after it. */
const CLOCK_SKEW_SECONDS = 3;

interface Copy {
  readonly node: string;
  readonly sampleAt: number;
  readonly reading: WorkloadSample;
}

/** Identity survives moves: the label if there is one, else what the collector took for the first container's id. */
export function workloadIdOf(reading: WorkloadSample): string {
  return reading.labels[LABELS.workload]?.trim() || reading.id;
}

/**
 * Decides where each workload is. Two copies at once are normal while a migration is open (the owner's counts) and until the left node's
 * next sample (it was read before the commit). Anything else is a conflict. A workload that no sample shows because one node has let it go
 * and the other has not reported yet is taken from `remembered`, which is what was returned before, in that order. In order of id.
 */
export function placeWorkloads(reading: FleetReading, remembered: ReadonlyMap<string, PlacedWorkload>): PlacedWorkload[] {
  const copies = new Map<string, Copy[]>();
  const sampleOf = new Map<string, NodeSample>();
  for (const { id: node, sample } of reading.nodes) {
    if (sample === null) continue;
    sampleOf.set(node, sample);
    for (const workload of sample.workloads) {
      const id = workloadIdOf(workload);
      const copy = { node, sampleAt: sample.at, reading: workload };
      const others = copies.get(id);
      if (others) others.push(copy);
      else copies.set(id, [copy]);
    }
  }
  const records: Records = { ...reading, migrations: new Map(reading.openMigrations.map((record) => [record.workload, record])) };
  const placed: PlacedWorkload[] = [];
  let met = 0;
  for (const [id, last] of remembered) {
    const list = copies.get(id);
    if (list !== undefined) {
      met++;
      placed.push(placeCopies(id, list, records, last));
      continue;
    }
    const node = expectedNode(id, records);
    const sample = node === null ? undefined : sampleOf.get(node);
    if (node !== null && sample !== undefined && stillToBeSeen(id, sample.at, records)) placed.push({ ...last, node, ...AT_PEACE });
  }
  // Usually nobody is new, and the order of last time holds: a large fleet is not sorted at every tick.
  if (met === copies.size) return placed;
  for (const [id, list] of copies) if (!remembered.has(id)) placed.push(placeCopies(id, list, records, undefined));
  return placed.sort((a, b) => compareIds(a.id, b.id));
}

/** What the records say, with open migrations by workload: a fleet has too many workloads to search the list for each. */
interface Records extends Pick<FleetReading, "owners" | "lastMoved"> {
  readonly migrations: ReadonlyMap<string, MigrationRecord>;
}

function placeCopies(id: string, copies: readonly Copy[], records: Records, before: PlacedWorkload | undefined): PlacedWorkload {
  const migration = records.migrations.get(id);
  const owner = expectedNode(id, records);
  if (migration !== undefined) {
    const ends = copies.filter(({ node }) => node === migration.from || node === migration.to);
    const strangers = copies.length - ends.length + (ends.length - new Set(ends.map(({ node }) => node)).size);
    const chosen = ends.find(({ node }) => node === owner) ?? ends[0] ?? copies[0]!;
    const conflict = strangers === 0 ? AT_PEACE : conflictOf(copies, chosen, before);
    return { id, node: owner ?? chosen.node, reading: chosen.reading, ...conflict };
  }
  const movedAt = records.lastMoved[id] ?? 0;
  const current = copies.filter(({ node, sampleAt }) => owner === null || node === owner || sampleAt > movedAt + CLOCK_SKEW_SECONDS);
  if (current.length === 0) return { id, node: owner!, reading: copies[0]!.reading, ...AT_PEACE };
  const chosen = current.find(({ node }) => node === owner) ?? oldest(current);
  return { id, node: chosen.node, reading: chosen.reading, ...(current.length > 1 ? conflictOf(current, chosen, before) : AT_PEACE) };
}

function conflictOf(
  copies: readonly Copy[],
  chosen: Copy,
  before: PlacedWorkload | undefined,
): Pick<PlacedWorkload, "conflict" | "isCertain" | "shownAt"> {
  const others = copies.filter((copy) => copy !== chosen);
  const shownAt = new Map(others.map(({ node, sampleAt }) => [node, before?.shownAt.get(node) ?? sampleAt]));
  return { conflict: nodesOf(copies), isCertain: others.every(({ node, sampleAt }) => sampleAt !== shownAt.get(node)), shownAt };
}

/** Where the records say it should be; null when they say nothing. */
function expectedNode(id: string, { migrations, owners }: Records): string | null {
  const migration = migrations.get(id);
  if (migration !== undefined) return migration.outcome === "committed" ? migration.to : migration.from;
  return owners[id] ?? null;
}

function stillToBeSeen(id: string, sampleAt: number, { migrations, lastMoved }: Records): boolean {
  return migrations.has(id) || (lastMoved[id] ?? 0) + CLOCK_SKEW_SECONDS >= sampleAt;
}

function oldest(copies: readonly Copy[]): Copy {
  return copies.reduce((a, b) => ((b.reading.startedAt ?? Infinity) < (a.reading.startedAt ?? Infinity) ? b : a));
}

const nodesOf = (copies: readonly Copy[]) => copies.map(({ node }) => node).sort();
