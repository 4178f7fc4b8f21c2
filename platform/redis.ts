import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { EvenkeelError } from "./errors.js";
import { projectPath } from "./paths.js";

export interface RedisOptions {
  /** `redis://host:port`, `rediss://…` or `unix:///path`. */
  readonly url: string;
  readonly password?: string | undefined;
}

/**
 * A connection with the settings BullMQ's workers need (`maxRetriesPerRequest: null`): commands wait for Redis
 * to come back rather than fail. Callers that must not wait pass `failFast`.
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
          ...(url.protocol === "rediss:" ? { tls: {} } : {}),
          ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
        });
  // Without a listener ioredis prints to the console; the owner of the connection logs state changes itself.
  redis.on("error", () => {});
  return redis;
}

/** Throws REDIS_EVICTS unless Redis keeps every key it was given. */
export async function assertNoEviction(redis: Redis): Promise<void> {
  const reply = (await redis.config("GET", "maxmemory-policy")) as string[];
  const policy = reply[1];
  if (policy !== undefined && policy !== "noeviction") {
    throw new EvenkeelError("REDIS_EVICTS", `maxmemory-policy is ${policy}`);
  }
}

export type LuaScript = (redis: Redis, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** Loads one transition from `<path>.lua` below the project's top folder; the header of each file gives its KEYS, ARGV and reply. */
export function loadLua(path: string): LuaScript {
  const source = readFileSync(projectPath(path), "utf8");
  return (redis, keys, args) => redis.eval(source, keys.length, ...keys, ...args);
}
