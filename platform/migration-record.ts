import type { Redis } from "ioredis";
import { type ErrorCode, EvenkeelError } from "./errors.js";
import type { Finding } from "./findings.js";
import type { Keys } from "./keys.js";
import { loadLua } from "./redis.js";

/**
 * The record is the truth about a migration; a BullMQ job is only its delivery. Every change is one Lua transition that
 * checks the record's epoch (fencing token) and outcome first. States and invariants: docs/architecture-migration.md.
 */
export const STAGES = [
  "queued",
  "preflight",
  "reserve",
  "prepare",
  "precopy",
  "freeze",
  "transfer",
  "restore",
  "resume",
  "cleanup",
] as const;
export type Stage = (typeof STAGES)[number];

/** `pending` until exactly one of commit.lua and abort.lua has won. */
export type Outcome = "pending" | "committed" | "aborted";

export type MigrationResult = "succeeded" | "failed" | "cancelled";

export interface TimelineEntry {
  readonly stage: Stage;
  readonly at: number;
  /** What had been sent until then, by kind; absent while nothing was counted. */
  readonly bytes?: Readonly<Record<string, number>>;
}

/** What the present stage is doing, for the live views. Absent is unknown. */
export interface StageProgress {
  readonly doneBytes?: number;
  readonly totalBytes?: number;
  readonly bytesPerSecond?: number;
  /** How fast the workload makes sent memory stale, where the kernel tells. */
  readonly dirtyBytesPerSecond?: number;
  /** Until the stage has sent what it has to send, at the present rate. */
  readonly etaSeconds?: number;
  /** Which round of pre-copy, or of the files, from 1. */
  readonly round?: number;
  readonly note?: string;
}

export interface RoundEntry {
  readonly round: number;
  readonly bytes: number;
  readonly seconds: number;
  /** For how long the workload was held still in it. */
  readonly pausedSeconds: number;
  /** Written meanwhile; null until the next round has told. */
  readonly dirtyBytesPerSecond: number | null;
}

/** What was expected of the mode that was taken, and of those that were not. */
export interface Forecast {
  readonly mode: string;
  readonly blackoutSeconds: number;
  readonly because: string;
  readonly others: readonly { readonly mode: string; readonly blackoutSeconds: number; readonly whyNot: string | null }[];
}

/** What earlier moves of the workload have shown, as far as a forecast asks for it; null = none of them told. */
export interface Learned {
  /** Memory written anew each second. */
  readonly dirtyBytesPerSecond: number | null;
  /** Sent of its files while it stood still. */
  readonly frozenFileBytes: number | null;
  /** Until it had ended, in cold moves. */
  readonly stopSeconds: number | null;
}

export interface NewMigration {
  readonly id: string;
  readonly workload: string;
  readonly name: string;
  readonly containerId: string;
  readonly from: string;
  readonly to: string;
  /** A MoveReason of policies/types.ts. */
  readonly reason: string;
  readonly because: string;
  /** Asked for (`auto` included); the record's modeUsed says what was done. */
  readonly mode: string;
  /** An operator has let it through where the scheduler's mode would hold it back; absent = nobody had to. */
  readonly approved?: boolean;
  /** As it was known when the migration was begun; absent = it has not been moved yet. */
  readonly learned?: Learned;
}

export interface MigrationRecord extends NewMigration {
  readonly modeUsed: string | null;
  /** Ids of all migrations that are carried out as one with this; empty = it is alone. */
  readonly members: readonly string[];
  /** Why that mode and no other, in words. */
  readonly modeBecause: string | null;
  /** Null before the mode is chosen. */
  readonly forecast: Forecast | null;
  /** Raised each time an executor takes the migration up; writes under an older one are refused. */
  readonly epoch: number;
  readonly stage: Stage;
  readonly outcome: Outcome;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly closedAt: number | null;
  readonly result: MigrationResult | null;
  readonly errorCode: ErrorCode | null;
  readonly errorMessage: string | null;
  /** What preflight found in the way; empty when nothing was. */
  readonly blockers: readonly Finding[];
  readonly blackoutSeconds: number | null;
  /** What was expected before the freeze; null where nothing was. */
  readonly predictedBlackoutSeconds: number | null;
  /** When each step of the restore was reached, in seconds since it was asked for. */
  readonly restoreSteps: Readonly<Record<string, number>>;
  /** Bytes sent to the destination by kind: image, files, precopy (memory while it ran), memory (in the freeze). */
  readonly bytes: Readonly<Record<string, number>>;
  readonly timeline: readonly TimelineEntry[];
  /** Rounds in which memory was copied ahead of the freeze; empty in modes without. */
  readonly rounds: readonly RoundEntry[];
  readonly progress: StageProgress | null;
}

/** Of closed records, in the whole fleet. */
export const CLOSED_KEPT = 1000;
/** What a program says of each of a million files is of no use here. */
const WORDS_MOST = 4096;

const createScript = loadLua("platform/lua/migration-create.lua");
const claimScript = loadLua("platform/lua/migration-claim.lua");
const advanceScript = loadLua("platform/lua/migration-advance.lua");
const progressScript = loadLua("platform/lua/migration-progress.lua");
const commitScript = loadLua("platform/lua/migration-commit.lua");
const abortScript = loadLua("platform/lua/migration-abort.lua");
const revertScript = loadLua("platform/lua/migration-revert.lua");
const closeScript = loadLua("platform/lua/migration-close.lua");

/**
 * Opens a record. `term` is the leader's; 0 for none (tests).
 * @throws WORKLOAD_MIGRATING when the workload has an open migration, FENCED when a newer leader exists.
 */
export async function createMigration(redis: Redis, keys: Keys, migration: NewMigration, at: number, term: number): Promise<void> {
  await createMigrations(redis, keys, [migration], at, term);
}

/** Opens records of workloads that move as one: frozen together, committed together, or none of them. All are opened or none. @throws as above. */
export async function createMigrations(
  redis: Redis,
  keys: Keys,
  together: readonly NewMigration[],
  at: number,
  term: number,
): Promise<void> {
  const members = together.length > 1 ? { members: JSON.stringify(together.map(({ id }) => id)) } : {};
  const records = together.map(({ id }) => keys.migration(id));
  const reply = await createScript(
    redis,
    [keys.openMigrations, keys.openByWorkload, keys.leader, keys.audit, ...records],
    [JSON.stringify(together.map((each) => ({ ...each, ...told(each), ...members }))), at, term, keys.events],
  );
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${term} is over`);
  if (reply !== "ok") {
    const busy = together.find(({ workload }) => reply === `busy ${workload}`);
    throw new EvenkeelError("WORKLOAD_MIGRATING", busy?.name ?? "", { facts: { workload: busy?.workload } });
  }
}

/** A record's fields are texts. */
function told({ learned }: NewMigration) {
  return learned === undefined ? {} : { learned: JSON.stringify(learned) };
}

/** Record keys of the others that move as one with a migration. */
async function othersOf(redis: Redis, keys: Keys, id: string): Promise<string[]> {
  const members = JSON.parse((await redis.hget(keys.migration(id), "members")) || "[]") as string[];
  return members.filter((member) => member !== id).map((member) => keys.migration(member));
}

/** Takes the migration up under a new epoch. Null when it is closed already or was never there. */
export async function claimMigration(redis: Redis, keys: Keys, id: string, at: number): Promise<MigrationRecord | null> {
  const reply = await claimScript(redis, [keys.migration(id)], [at]);
  return reply === "gone" || reply === "closed" ? null : readMigration(redis, keys, id);
}

/** Notes a stage and/or fields. @throws FENCED when another executor has claimed it since, or it is settled against us. */
export async function advanceMigration(
  redis: Redis,
  keys: Keys,
  at: number,
  step: { id: string; epoch: number; stage: Stage; fields?: Readonly<Record<string, string | number | object | null>> },
): Promise<void> {
  const reply = await advanceScript(
    redis,
    [keys.migration(step.id), keys.audit, keys.owners, keys.lastMoved],
    [step.epoch, step.stage, at, JSON.stringify(flatten(step.fields ?? {})), keys.events, step.id],
  );
  if (reply !== "ok") throw new EvenkeelError("FENCED", `migration ${step.id}: ${String(reply)}`);
}

/** Notes how far the present stage is, for the live views. A note that comes too late changes nothing. */
export async function noteProgress(
  redis: Redis,
  keys: Keys,
  at: number,
  note: { id: string; epoch: number; stage: Stage; progress: StageProgress; bytes: Readonly<Record<string, number>> },
): Promise<void> {
  const { id, epoch, stage, progress, bytes } = note;
  await progressScript(redis, [keys.migration(id)], [epoch, stage, at, JSON.stringify(progress), JSON.stringify(bytes), keys.events, id]);
}

/** How soon a copy that is whole looks again whether the others of its group are. */
const WHOLE_POLL_MILLISECONDS = 10;

/**
 * The point of no return. True if and only if the destination's copy may run from now on. Safe to repeat. For one of a group it takes until
 * the last of them has asked, or one of them has given up.
 */
export async function commitMigration(redis: Redis, keys: Keys, id: string, epoch: number, at: number): Promise<boolean> {
  const others = await othersOf(redis, keys, id);
  for (;;) {
    const reply = await commitScript(
      redis,
      [keys.migration(id), keys.owners, keys.lastMoved, keys.audit, ...others],
      [epoch, at, keys.events],
    );
    if (reply !== "waiting") return reply === "committed";
    await new Promise((resolve) => setTimeout(resolve, WHOLE_POLL_MILLISECONDS));
  }
}

/**
 * Settles the migration, and all that move as one with it, in favour of the source, unless the destination has committed. Returns the outcome that stands.
 * @param term of the leader that decides so; 0 where no leader does: an executor's or an operator's word stands by itself
 * @throws FENCED when a newer leader exists.
 */
export async function abortMigration(redis: Redis, keys: Keys, id: string, at: number, why: string, term = 0): Promise<Outcome | "gone"> {
  const others = await othersOf(redis, keys, id);
  const reply = await abortScript(
    redis,
    [keys.migration(id), keys.audit, keys.leader, ...others],
    [at, why.slice(0, WORDS_MOST), keys.events, term],
  );
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${term} is over`);
  return reply as Outcome | "gone";
}

/** For a destination whose committed copy failed to resume and is gone for certain. True = the source's copy counts again. */
export async function revertMigration(redis: Redis, keys: Keys, id: string, epoch: number, at: number): Promise<boolean> {
  return (await revertScript(redis, [keys.migration(id), keys.owners, keys.audit], [epoch, at, keys.events, id])) === "reverted";
}

export interface Closing {
  readonly result: MigrationResult;
  readonly errorCode?: ErrorCode;
  readonly errorMessage?: string;
}

/** Closes a settled record and frees what it held. Repeating it changes nothing. */
export async function closeMigration(redis: Redis, keys: Keys, record: MigrationRecord, at: number, closing: Closing): Promise<void> {
  await closeScript(
    redis,
    [keys.migration(record.id), keys.openMigrations, keys.openByWorkload, keys.closedMigrations, keys.reservations(record.to), keys.audit],
    [
      record.id,
      at,
      closing.result,
      closing.errorCode ?? "",
      (closing.errorMessage ?? "").slice(0, WORDS_MOST),
      CLOSED_KEPT,
      keys.events,
      keys.migration(""),
    ],
  );
}

export async function readMigration(redis: Redis, keys: Keys, id: string): Promise<MigrationRecord | null> {
  const hash = await redis.hgetall(keys.migration(id));
  return hash["id"] === undefined ? null : parseRecord(hash);
}

/** Open ones first, then the newest closed ones. */
export async function listMigrations(redis: Redis, keys: Keys, closedLimit = 50): Promise<MigrationRecord[]> {
  const [open, closed] = await Promise.all([
    redis.smembers(keys.openMigrations),
    closedLimit === 0 ? [] : redis.zrevrange(keys.closedMigrations, 0, closedLimit - 1),
  ]);
  const records = await Promise.all([...open, ...closed].map((id) => readMigration(redis, keys, id)));
  return records.filter((record) => record !== null).sort((a, b) => b.createdAt - a.createdAt);
}

function flatten(fields: Readonly<Record<string, string | number | object | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}

function parseRecord(hash: Record<string, string>): MigrationRecord {
  const text = (name: string) => hash[name] ?? "";
  const orNull = (name: string) => (hash[name] === undefined || hash[name] === "" ? null : hash[name]);
  const numberOrNull = (name: string) => (orNull(name) === null ? null : Number(hash[name]));
  const json = <T>(name: string, otherwise: T): T => (orNull(name) === null ? otherwise : (JSON.parse(text(name)) as T));
  return {
    id: text("id"),
    workload: text("workload"),
    name: text("name"),
    containerId: text("containerId"),
    from: text("from"),
    to: text("to"),
    reason: text("reason"),
    because: text("because"),
    mode: text("mode"),
    ...(text("approved") === "true" && { approved: true }),
    ...(orNull("learned") !== null && { learned: json<Learned | undefined>("learned", undefined)! }),
    modeUsed: orNull("modeUsed"),
    members: json("members", []),
    modeBecause: orNull("modeBecause"),
    forecast: json("forecast", null),
    epoch: Number(text("epoch")),
    stage: text("stage") as Stage,
    outcome: text("outcome") as Outcome,
    createdAt: Number(text("createdAt")),
    updatedAt: Number(text("updatedAt")),
    closedAt: numberOrNull("closedAt"),
    result: orNull("result") as MigrationResult | null,
    errorCode: orNull("errorCode") as ErrorCode | null,
    errorMessage: orNull("errorMessage"),
    blockers: json("blockers", []),
    blackoutSeconds: numberOrNull("blackoutSeconds"),
    predictedBlackoutSeconds: numberOrNull("predictedBlackoutSeconds"),
    restoreSteps: json("restoreSteps", {}),
    bytes: json("bytes", {}),
    timeline: json("timeline", []),
    rounds: json("rounds", []),
    progress: json("progress", null),
  };
}
