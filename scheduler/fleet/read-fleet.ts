import type { Redis } from "ioredis";
import { type NodeIdentity, type NodeSample, nodeIdentitySchema, nodeSampleSchema } from "../../collector/protocol.js";
import type { Keys } from "../../platform/keys.js";
import { type MigrationRecord, readMigration } from "../../platform/migration-record.js";
import type { NodePoint } from "../../policies/types.js";

/** Everything Redis holds about the fleet at one moment, checked but not yet judged. */
export interface FleetReading {
  readonly at: number;
  readonly nodes: readonly NodeReading[];
  /** Workload id -> node, as the last commit left it. */
  readonly owners: Readonly<Record<string, string>>;
  /** Workload id -> epoch seconds of its last commit. */
  readonly lastMoved: Readonly<Record<string, number>>;
  readonly openMigrations: readonly MigrationRecord[];
  /** Those kept, newest first. */
  readonly closedMigrations: readonly MigrationRecord[];
}

export interface NodeReading {
  readonly id: string;
  /** Epoch seconds of the newest sample, as the collector said; kept when the sample has expired. */
  readonly lastSeenAt: number;
  /** Null when there is none that can be believed; `trouble` then says why. */
  readonly sample: NodeSample | null;
  readonly trouble: string | null;
  readonly identity: NodeIdentity | null;
  /** Oldest first. */
  readonly history: readonly NodePoint[];
  /** The text in the maintenance hash; null = none. */
  readonly flag: string | null;
}

export interface ReadOptions {
  readonly at: number;
  readonly sampleTtlSeconds: number;
  readonly historyLength: number;
  /** Closed records by id. They never change again, so each is read once; those that Redis has dropped are dropped here too. */
  readonly closedCache: Map<string, MigrationRecord>;
}

const CLOSED_MIGRATIONS_READ = 1000;

/**
 * Samples first, then records, then who owns what. A migration that ends meanwhile is then seen as open, or its commit is; the other way
 * round it could be neither, and the old sample would show its workload where it was.
 */
export async function readFleet(redis: Redis, keys: Keys, options: ReadOptions): Promise<FleetReading> {
  const nodes = await readNodes(redis, keys, options);
  const open = await readMigrations(redis, keys, await redis.smembers(keys.openMigrations));
  const [owners, lastMoved, closedMigrations] = await Promise.all([
    redis.hgetall(keys.owners),
    redis.hgetall(keys.lastMoved),
    readClosed(redis, keys, options.closedCache),
  ]);
  return {
    at: options.at,
    nodes,
    owners,
    lastMoved: Object.fromEntries(Object.entries(lastMoved).map(([workload, at]) => [workload, Number(at)])),
    openMigrations: open.filter((record) => record.closedAt === null),
    closedMigrations,
  };
}

async function readNodes(redis: Redis, keys: Keys, options: ReadOptions): Promise<NodeReading[]> {
  const [seen, flags] = await Promise.all([redis.zrange(keys.nodes, 0, "-1", "WITHSCORES"), redis.hgetall(keys.maintenance)]);
  const ids: { id: string; lastSeenAt: number }[] = [];
  for (let index = 0; index + 1 < seen.length; index += 2) ids.push({ id: seen[index]!, lastSeenAt: Number(seen[index + 1]) });
  return Promise.all(
    ids.map(async ({ id, lastSeenAt }) => {
      const [sampleText, identityText, history] = await Promise.all([
        redis.get(keys.nodeSample(id)),
        redis.get(keys.nodeIdentity(id)),
        redis.xrevrange(keys.nodeHistory(id), "+", "-", "COUNT", options.historyLength),
      ]);
      const { sample, trouble } = judgeSample(id, sampleText, options);
      const identity = parseIdentity(identityText);
      return { id, lastSeenAt, sample, trouble, identity, history: parseHistory(history), flag: flags[id] ?? null };
    }),
  );
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

export async function readHistory(redis: Redis, keys: Keys, node: string, length: number): Promise<NodePoint[]> {
  return parseHistory(await redis.xrevrange(keys.nodeHistory(node), "+", "-", "COUNT", length));
}

function judgeSample(
  id: string,
  text: string | null,
  { at, sampleTtlSeconds }: ReadOptions,
): { sample: NodeSample | null; trouble: string | null } {
  const refuse = (trouble: string) => ({ sample: null, trouble });
  if (text === null) return refuse(`no sample for more than ${sampleTtlSeconds} s`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(`its sample is not JSON: ${(error as Error).message}`);
  }
  const parsed = nodeSampleSchema.safeParse(value);
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    return refuse(`its sample is not valid: ${first?.path.join(".") ?? ""} ${first?.message ?? ""}`.trimEnd());
  }
  const sample = parsed.data;
  if (sample.node !== id) return refuse(`its sample speaks of ${sample.node}`);
  const ageSeconds = at - sample.at;
  if (ageSeconds > sampleTtlSeconds) return refuse(`its sample is ${Math.round(ageSeconds)} s old`);
  if (ageSeconds < -sampleTtlSeconds) return refuse(`its sample is dated ${Math.round(-ageSeconds)} s ahead: set the node's clock`);
  return { sample, trouble: null };
}

function parseIdentity(text: string | null): NodeIdentity | null {
  if (text === null) return null;
  try {
    return nodeIdentitySchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function parseHistory(entries: readonly [string, string[]][]): NodePoint[] {
  return entries.map(([, fields]) => parsePoint(fields)).reverse();
}

function parsePoint(fields: readonly string[]): NodePoint {
  const read = (name: string) => {
    const text = fields[fields.indexOf(name) + 1];
    return fields.includes(name) && text !== undefined && text !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
  };
  return { at: read("at") ?? 0, cpuRatio: read("cpuRatio"), memoryRatio: read("memoryRatio") };
}
