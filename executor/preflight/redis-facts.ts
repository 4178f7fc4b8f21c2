import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { readEvictionPolicy } from "../../platform/redis.js";
import type { RedisFacts } from "./node-facts.js";

const PATIENCE_MILLISECONDS = 3000;

/** Null when Redis does not answer in time. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts | null> {
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MILLISECONDS, null).unref());
  return Promise.race([ask(redis).catch(() => null), late]);
}

async function ask(redis: Redis): Promise<RedisFacts> {
  const before = nowSeconds();
  const [seconds, microseconds] = (await redis.time()) as [number | string, number | string];
  const middle = (before + nowSeconds()) / 2;
  // Hosted ones forbid CONFIG.
  const setting = async (name: string) => ((await redis.config("GET", name).catch(() => [])) as string[])[1] ?? null;
  return {
    evictionPolicy: await readEvictionPolicy(redis),
    appendOnly: await setting("appendonly"),
    appendFsync: await setting("appendfsync"),
    clockOffsetSeconds: middle - (Number(seconds) + Number(microseconds) / 1e6),
  };
}
