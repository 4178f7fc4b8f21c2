import type { Redis } from "ioredis";
import type { Keys } from "../../platform/keys.js";
import { type MigrationRecord, readMigration } from "../../platform/migration-record.js";
import { type PowerRecords, parsePower } from "../power/power-record.js";
import { type FlagDates, parseFlagDates } from "./flag-dates.js";
import { type Homecomings, parseHomecomings } from "./homecomings.js";
import { type ExecutorReports, parseReports } from "./lost-peers.js";
import { makeNodeMemory, type NodeMemory, type NodeReading, readNodes } from "./read-nodes.js";
import { makePatternMemory, type PatternMemory, type Patterns, readPatterns } from "./read-patterns.js";

/** Everything Redis holds about the fleet at one moment, checked but not yet judged. */
export interface FleetReading {
  readonly at: number;
  readonly nodes: readonly NodeReading[];
  /** Workload id -> node, as the last commit left it. */
  readonly owners: Readonly<Record<string, string>>;
  /** Workload id -> epoch seconds of its last commit. */
  readonly lastMoved: Readonly<Record<string, number>>;
  /** What each node's executor says of itself. */
  readonly executors: ExecutorReports;
  /** What each node's power was last told. */
  readonly power: PowerRecords;
  readonly homecomings: Homecomings;
  readonly flagDates: FlagDates;
  /** The text of the fleet's pause; null = there is none. */
  readonly pause: string | null;
  /** What nodes used on earlier days at this time of day. */
  readonly patterns: Patterns;
  readonly openMigrations: readonly MigrationRecord[];
  /** Those kept, newest first. */
  readonly closedMigrations: readonly MigrationRecord[];
}

export interface ReadOptions {
  readonly at: number;
  readonly sampleTtlSeconds: number;
  readonly historyLength: number;
  /** How far ahead the policies look; null = not at all, and earlier days are not read. */
  readonly horizonSeconds: number | null;
  readonly memory: FleetMemory;
}

/** What earlier readings learned, kept by the caller from one to the next. */
export interface FleetMemory {
  readonly nodes: NodeMemory;
  /** Closed records by id. They never change again, so each is read once; those that Redis has dropped are dropped here too. */
  readonly closed: Map<string, MigrationRecord>;
  readonly patterns: PatternMemory;
}

export function makeFleetMemory(): FleetMemory {
  return { nodes: makeNodeMemory(), closed: new Map(), patterns: makePatternMemory() };
}

const CLOSED_MIGRATIONS_READ = 1000;

/**
 * Samples first, then records, then who owns what. A migration that ends meanwhile is then seen as open, or its commit is; the other way
 * round it could be neither, and the old sample would show its workload where it was.
 */
export async function readFleet(redis: Redis, keys: Keys, options: ReadOptions): Promise<FleetReading> {
  const nodes = await readNodes(redis, keys, { ...options, memory: options.memory.nodes });
  const open = await readMigrations(redis, keys, await redis.smembers(keys.openMigrations));
  const [executors, power, homecomings, flagDates, pause, owners, lastMoved, closedMigrations] = await Promise.all([
    redis.hgetall(keys.executors),
    redis.hgetall(keys.power),
    redis.hgetall(keys.homecomings),
    redis.hgetall(keys.flagDates),
    redis.get(keys.pause),
    redis.hgetall(keys.owners),
    redis.hgetall(keys.lastMoved),
    readClosed(redis, keys, options.memory.closed),
  ]);
  const { at, horizonSeconds } = options;
  const ids = nodes.map(({ id }) => id);
  const patterns: Patterns =
    horizonSeconds === null ? new Map() : await readPatterns(redis, keys, ids, { at, horizonSeconds, memory: options.memory.patterns });
  return {
    at,
    patterns,
    nodes,
    executors: parseReports(executors),
    power: parsePower(power),
    homecomings: parseHomecomings(homecomings),
    flagDates: parseFlagDates(flagDates),
    pause,
    owners,
    lastMoved: Object.fromEntries(Object.entries(lastMoved).map(([workload, at]) => [workload, Number(at)])),
    openMigrations: open.filter((record) => record.closedAt === null),
    closedMigrations,
  };
}

async function readClosed(redis: Redis, keys: Keys, cache: Map<string, MigrationRecord>): Promise<MigrationRecord[]> {
  const ids = await redis.zrevrange(keys.closedMigrations, 0, CLOSED_MIGRATIONS_READ - 1);
  const unread = ids.filter((id) => !cache.has(id));
  for (const record of await readMigrations(redis, keys, unread)) cache.set(record.id, record);
  const kept = new Set(ids);
  for (const id of cache.keys()) if (!kept.has(id)) cache.delete(id);
  return ids.flatMap((id) => cache.get(id) ?? []);
}

async function readMigrations(redis: Redis, keys: Keys, ids: readonly string[]): Promise<MigrationRecord[]> {
  const records = await Promise.all(ids.map((id) => readMigration(redis, keys, id)));
  return records.filter((record) => record !== null);
}
