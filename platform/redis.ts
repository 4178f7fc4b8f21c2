import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { nowSeconds } from "./clock.js";
import { EvenkeelError } from "./errors.js";
import { projectPath } from "./paths.js";

export interface RedisOptions {
  /** `redis://host:port`, `rediss://…` or `unix:///path`, with a user before the host where Redis has one for us. */
  readonly url: string;
  readonly password?: string | undefined;
  /** PEM file of the authority to believe instead of those that Node.js trusts. */
  readonly ca?: string | undefined;
}

/** Redis' clock less this machine's, in seconds: what all of a fleet can compare with. */
export async function redisAheadSeconds(redis: Redis): Promise<number> {
  const before = nowSeconds();
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) + Number(microseconds) / 1e6 - (before + nowSeconds()) / 2;
}

/**
 * A connection with the settings BullMQ's workers need (`maxRetriesPerRequest: null`): commands wait for Redis
 * to come back rather than fail. Callers that must not wait pass `failFast`.
 * @throws CONFIG_INVALID when the file of `ca` cannot be read
 */
export function connectRedis(options: RedisOptions, failFast = false): Redis {
  const url = new URL(options.url);
  const common = {
    ...(options.password === undefined ? {} : { password: options.password }),
    maxRetriesPerRequest: failFast ? 1 : null,
    retryStrategy: (attempt: number) => Math.min(100 * attempt, 2000),
  };
  const redis =
    url.protocol === "unix:"
      ? new Redis({ ...common, path: url.pathname })
      : new Redis({
          ...common,
          host: url.hostname,
          port: Number(url.port || 6379),
          ...(url.protocol === "rediss:" ? { tls: options.ca === undefined ? {} : { ca: readAuthority(options.ca) } } : {}),
          ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
          ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
        });
  // Without a listener ioredis prints to the console; the owner of the connection logs state changes itself.
  redis.on("error", () => {});
  return redis;
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new EvenkeelError("CONFIG_INVALID", `redis.ca: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Throws REDIS_EVICTS when Redis may drop a key it was given. Returns what a person has to check when Redis does not tell, else null. Hosted
 * ones forbid CONFIG, and so may the access list, but INFO tells too.
 */
export async function assertNoEviction(redis: Redis): Promise<string | null> {
  const policy = await readEvictionPolicy(redis);
  if (policy === null) return "Redis does not let its settings be read: make sure that maxmemory-policy is noeviction";
  if (policy !== "noeviction") throw new EvenkeelError("REDIS_EVICTS", `maxmemory-policy is ${policy}`);
  return null;
}

/** `maxmemory-policy`. Null: Redis refuses to tell. Any other trouble, such as a wrong password, is thrown. */
export async function readEvictionPolicy(redis: Redis): Promise<string | null> {
  try {
    const [, policy] = (await redis.config("GET", "maxmemory-policy")) as string[];
    if (policy !== undefined) return policy;
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
  const info = await redis.info("memory").catch((error: unknown) => {
    if (!isForbidden(error)) throw error;
    return "";
  });
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? null;
}

function isForbidden(error: unknown): boolean {
  return /^(NOPERM|ERR unknown command)/i.test((error as Error).message);
}

export type LuaScript = (redis: Redis, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** Loads one transition from `<path>.lua` below the project's top folder; the header of each file gives its KEYS, ARGV and reply. */
export function loadLua(path: string): LuaScript {
  const source = readFileSync(projectPath(path), "utf8");
  return (redis, keys, args) => redis.eval(source, keys.length, ...keys, ...args);
}
