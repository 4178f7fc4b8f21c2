import type { Redis } from "ioredis";
import { z } from "zod";
import type { Keys } from "../platform/keys.js";

/**
 * What a scheduler says of itself, in the hash `schedulers` by its holder's name. `settings`: digest of what it decides by. `everySeconds`: between two
 * such words. `at`: epoch seconds by Redis' clock, since schedulers judge each other.
 */
const entrySchema = z.object({ url: z.string(), settings: z.string(), everySeconds: z.number().positive(), at: z.number() });
type Entry = z.infer<typeof entrySchema>;

export interface RollEntry extends Entry {
  readonly holder: string;
}

/** One that is silent for longer, and has missed a few of its words, has ended or cannot reach Redis. */
const SILENT_SECONDS = 60;
const MISSED_WORDS = 3;

export async function signRoll(redis: Redis, keys: Keys, { holder, ...said }: Omit<RollEntry, "at">): Promise<void> {
  await redis.hset(keys.schedulers, holder, JSON.stringify({ ...said, at: await clockOf(redis) } satisfies Entry));
}

export async function leaveRoll(redis: Redis, keys: Keys, holder: string): Promise<void> {
  await redis.hdel(keys.schedulers, holder);
}

/** The schedulers that have been heard lately, by URL. Those that have not, cannot be understood, or have a successor under their URL are struck off. */
export async function readRoll(redis: Redis, keys: Keys): Promise<RollEntry[]> {
  const [now, hash] = await Promise.all([clockOf(redis), redis.hgetall(keys.schedulers)]);
  const present = new Map<string, RollEntry>();
  const gone: string[] = [];
  for (const [holder, text] of Object.entries(hash)) {
    const entry = readEntry(text);
    const known = entry === null ? undefined : present.get(entry.url);
    if (entry === null || now - entry.at > Math.max(SILENT_SECONDS, MISSED_WORDS * entry.everySeconds) || (known && known.at > entry.at)) {
      gone.push(holder);
      continue;
    }
    if (known) gone.push(known.holder);
    present.set(entry.url, { holder, ...entry });
  }
  if (gone.length > 0) await redis.hdel(keys.schedulers, ...gone);
  return [...present.values()].sort((one, other) => one.url.localeCompare(other.url));
}

async function clockOf(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) + Number(microseconds) / 1e6;
}

function readEntry(text: string): Entry | null {
  try {
    return entrySchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
