import { LABELS, type WorkloadSample } from "../../collector/protocol.js";
import { CLOCK_SKEW_SECONDS } from "../../policies/clock-skew.js";
import { compareIds } from "../../policies/order.js";
import type { FleetReading } from "./read-fleet.js";
import { expectedNode, listUnread, type NodeSeen, placeUnseen, type Records } from "./unseen-workloads.js";

/** A workload, and the one node that is taken to hold it. */
export interface PlacedWorkload {
  readonly id: string;
  readonly node: string;
  /** What was last read of it; of one that nobody has read yet, what the records say. */
  readonly reading: WorkloadSample;
  /** Epoch seconds of the sample that `reading` is from; null = none has shown it yet. */
  readonly readAt: number | null;
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

const NO_NODES: readonly string[] = [];
const NEVER_SHOWN: ReadonlyMap<string, number> = new Map();

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
 * next sample (it was read before the commit). Anything else is a conflict. One that no fresh sample shows may run all the same: see unseen-workloads.ts.
 * @param remembered what was returned before, in that order. In order of id.
 */
export function placeWorkloads(reading: FleetReading, remembered: ReadonlyMap<string, PlacedWorkload>): PlacedWorkload[] {
  const copies = new Map<string, Copy>();
  const several = new Map<string, Copy[]>();
  const seen = new Map<string, NodeSeen>();
  for (const { id: node, sample, lastSeenAt } of reading.nodes) {
    seen.set(node, { at: sample?.at ?? lastSeenAt, isHeard: sample !== null });
    if (sample === null) continue;
    for (const workload of sample.workloads) {
      const id = workloadIdOf(workload);
      const copy = { node, sampleAt: sample.at, reading: workload };
      const first = copies.get(id);
      if (first === undefined) copies.set(id, copy);
      else several.set(id, [...(several.get(id) ?? [first]), copy]);
    }
  }
  const { owners, lastMoved, closedMigrations } = reading;
  const migrations = new Map(reading.openMigrations.map((record) => [record.workload, record]));
  const records: Records = { owners, lastMoved, closedMigrations, migrations, seen };
  const place = (id: string, copy: Copy, last: PlacedWorkload | undefined) => {
    const all = several.get(id);
    return (all === undefined ? placeOnly(id, copy, records) : null) ?? placeCopies(id, all ?? [copy], records, last);
  };
  const placed: PlacedWorkload[] = [];
  let met = 0;
  for (const [id, last] of remembered) {
    const copy = copies.get(id);
    if (copy !== undefined) {
      met++;
      placed.push(place(id, copy, last));
      continue;
    }
    const unseen = placeUnseen(id, last, records);
    if (unseen !== null) placed.push(atPeace(id, unseen.node, unseen.reading, unseen.readAt));
  }
  const unread = listUnread(records, (id) => copies.has(id) || remembered.has(id));
  // Usually nobody is new, and the order of last time holds: a large fleet is not sorted at every tick.
  if (met === copies.size && unread.length === 0) return placed;
  for (const [id, copy] of copies) if (!remembered.has(id)) placed.push(place(id, copy, undefined));
  for (const id of unread) {
    const unseen = placeUnseen(id, undefined, records);
    if (unseen !== null) placed.push(atPeace(id, unseen.node, unseen.reading, unseen.readAt));
  }
  return placed.sort((a, b) => compareIds(a.id, b.id));
}

function atPeace(id: string, node: string, reading: WorkloadSample, readAt: number | null): PlacedWorkload {
  return { id, node, reading, readAt, conflict: NO_NODES, isCertain: false, shownAt: NEVER_SHOWN };
}

/** What nearly all of a large fleet are: one copy, where the records have it or that is newer than they are. Null: it is something else. */
function placeOnly(id: string, { node, sampleAt, reading }: Copy, records: Records): PlacedWorkload | null {
  if (records.migrations.has(id)) return null;
  const owner = records.owners[id] ?? node;
  const isHere = node === owner || sampleAt > (records.lastMoved[id] ?? 0) + CLOCK_SKEW_SECONDS;
  return isHere ? atPeace(id, node, reading, sampleAt) : null;
}

function placeCopies(id: string, copies: readonly Copy[], records: Records, before: PlacedWorkload | undefined): PlacedWorkload {
  const migration = records.migrations.get(id);
  const owner = expectedNode(id, records);
  if (migration !== undefined) {
    const ends = copies.filter(({ node }) => node === migration.from || node === migration.to);
    const strangers = copies.length - ends.length + (ends.length - new Set(ends.map(({ node }) => node)).size);
    const chosen = ends.find(({ node }) => node === owner) ?? ends[0] ?? copies[0]!;
    const placed = atPeace(id, owner ?? chosen.node, chosen.reading, chosen.sampleAt);
    return strangers === 0 ? placed : { ...placed, ...conflictOf(copies, chosen, before) };
  }
  const movedAt = records.lastMoved[id] ?? 0;
  const current = copies.filter(({ node, sampleAt }) => owner === null || node === owner || sampleAt > movedAt + CLOCK_SKEW_SECONDS);
  if (current.length === 0) return atPeace(id, owner!, copies[0]!.reading, copies[0]!.sampleAt);
  const chosen = current.find(({ node }) => node === owner) ?? oldest(current);
  const placed = atPeace(id, chosen.node, chosen.reading, chosen.sampleAt);
  return current.length > 1 ? { ...placed, ...conflictOf(current, chosen, before) } : placed;
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

function oldest(copies: readonly Copy[]): Copy {
  return copies.reduce((a, b) => ((b.reading.startedAt ?? Infinity) < (a.reading.startedAt ?? Infinity) ? b : a));
}

const nodesOf = (copies: readonly Copy[]) => copies.map(({ node }) => node).sort();
