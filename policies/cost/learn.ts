import { percentileOf } from "../estimate/percentile.js";
import type { MigrationMode, PastMoves } from "../types.js";

/** What is known of one migration that succeeded. Null is not measured. */
export interface PastMove {
  readonly workload: string;
  readonly from: string;
  readonly to: string;
  /** Carried in all, and of it files and memory. */
  readonly bytes: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  /** From the first byte to the last, the freeze included. */
  readonly seconds: number | null;
  readonly mode: MigrationMode | null;
  readonly blackoutSeconds: number | null;
  /** Memory written anew each second; only rounds of pre-copy tell. */
  readonly dirtyBytesPerSecond: number | null;
  /** Of the files: sent while the workload stood still. */
  readonly frozenFileBytes: number | null;
  /** Until the program had ended; only cold moves tell. */
  readonly stopSeconds: number | null;
  /** Why its source could not copy memory ahead, in words; null = it could, absent = nobody looked. */
  readonly whyNoPrecopy?: string | null;
}

export interface Lessons {
  /** Bytes a second that migrations got on each node's link. */
  readonly linkOf: ReadonlyMap<string, number>;
  readonly pastOf: ReadonlyMap<string, PastMoves>;
  /** Nodes that could not copy memory ahead when something last left them, and why. */
  readonly noPrecopyFrom: ReadonlyMap<string, string>;
}

/** A link is judged by moves that carried something; below this the start of everything takes longer than the bytes. */
const TELLING_BYTES = 32 * 2 ** 20;
/** The latest so many count: machines and habits change. */
const LATEST = 10;

/** What past moves teach, newest first: medians, so that one odd move teaches nothing. */
export function learnCosts(past: readonly PastMove[]): Lessons {
  const rates = new Map<string, number[]>();
  const moves = new Map<string, PastMove[]>();
  const precopy = new Map<string, string | null>();
  for (const move of past) {
    if (move.seconds !== null && move.seconds > 0 && move.bytes >= TELLING_BYTES) {
      for (const node of [move.from, move.to]) addLatest(rates, node, move.bytes / move.seconds);
    }
    addLatest(moves, move.workload, move);
    if (move.whyNoPrecopy !== undefined && !precopy.has(move.from)) precopy.set(move.from, move.whyNoPrecopy);
  }
  return {
    linkOf: new Map([...rates].map(([node, list]) => [node, percentileOf(list, 0.5)!])),
    noPrecopyFrom: new Map([...precopy].flatMap(([node, why]) => (why === null ? [] : [[node, why] as const]))),
    pastOf: new Map([...moves].map(([workload, list]) => [workload, summarise(list)])),
  };
}

function summarise(moves: readonly PastMove[]): PastMoves {
  const median = (pick: (move: PastMove) => number | null) =>
    percentileOf(
      moves.flatMap((move) => pick(move) ?? []),
      0.5,
    );
  return {
    count: moves.length,
    fileBytes: median(({ fileBytes }) => fileBytes) ?? 0,
    memoryBytes: median(({ mode, memoryBytes }) => (mode === "cold" ? null : memoryBytes)) ?? 0,
    blackoutSecondsIn: medianBlackouts(moves),
    dirtyBytesPerSecond: median(({ dirtyBytesPerSecond }) => dirtyBytesPerSecond),
    frozenFileBytes: median(({ frozenFileBytes }) => frozenFileBytes),
    stopSeconds: median(({ stopSeconds }) => stopSeconds),
  };
}

/** A blackout in one mode says nothing of another: a program that was stopped and started did not stand still for as long as one that was frozen. */
function medianBlackouts(moves: readonly PastMove[]): NonNullable<PastMoves["blackoutSecondsIn"]> {
  const seen = new Map<MigrationMode, number[]>();
  for (const { mode, blackoutSeconds } of moves) {
    if (mode !== null && blackoutSeconds !== null) addLatest(seen, mode, blackoutSeconds);
  }
  return Object.fromEntries([...seen].map(([mode, list]) => [mode, percentileOf(list, 0.5)!]));
}

function addLatest<K, T>(lists: Map<K, T[]>, key: K, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else if (list.length < LATEST) list.push(value);
}
