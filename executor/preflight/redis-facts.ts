import type { Redis } from "ioredis";
import { readEvictionPolicy, redisAheadSeconds } from "../../platform/redis.js";
import type { RedisFacts } from "./node-facts.js";

const PATIENCE_MILLISECONDS = 3000;

/** Null when Redis does not answer in time. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts | null> {
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MILLISECONDS, null).unref());
  return Promise.race([ask(redis).catch(() => null), late]);
}

async function ask(redis: Redis): Promise<RedisFacts> {
  // Hosted ones forbid CONFIG.
  const setting = async (name: string) => ((await redis.config("GET", name).catch(() => [])) as string[])[1] ?? null;
  const clockOffsetSeconds = -(await redisAheadSeconds(redis));
  return {
    evictionPolicy: await readEvictionPolicy(redis),
    appendOnly: await setting("appendonly"),
    appendFsync: await setting("appendfsync"),
    clockOffsetSeconds,
  };
}
