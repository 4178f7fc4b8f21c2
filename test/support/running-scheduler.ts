import { Registry } from "prom-client";
import { configSchema } from "../../platform/config.js";
import { type Keys, makeKeys } from "../../platform/keys.js";
import { makeLog } from "../../platform/log.js";
import type { MigrationRecord } from "../../platform/migration-record.js";
import type { ErrorAnswer } from "../../scheduler/api-shapes.js";
import type { DrainReport } from "../../scheduler/fleet/drain-report.js";
import type { MaintenanceRequest } from "../../scheduler/fleet/maintenance.js";
import { type Scheduler, startScheduler } from "../../scheduler/start-scheduler.js";
import type { ThrowAwayRedis } from "./redis.js";

export const OPERATOR_TOKEN = "a-token-for-tests-only";

/** Whatever a route answers; the test that asks knows which part is there. */
export interface AnyAnswer {
  readonly error: ErrorAnswer["error"];
  readonly migration: MigrationRecord;
  readonly started: readonly string[];
  readonly dropped: readonly unknown[];
  readonly drain: DrainReport;
  readonly stillAskedForBy: readonly MaintenanceRequest[];
}

export interface RunningScheduler extends Scheduler {
  readonly url: string;
  readonly keys: Keys;
  readonly registry: Registry;
  get<T>(path: string): Promise<T>;
  /** Any request; with the operators' token unless `token` says otherwise (null = none). */
  send(method: string, path: string, body?: unknown, token?: string | null): Promise<{ status: number; body: AnyAnswer }>;
}

/** A real scheduler in this process, on a free loopback port. `scheduler` and `policies` are parts of its configuration. */
export async function runScheduler(
  redis: ThrowAwayRedis,
  { scheduler = {}, policies = {} }: { scheduler?: Record<string, unknown>; policies?: Record<string, unknown> } = {},
): Promise<RunningScheduler> {
  const config = configSchema.parse({
    redis: { url: redis.url },
    collector: { intervalSeconds: 1 },
    scheduler: { host: "127.0.0.1", port: 0, tickSeconds: 0.2, leaseSeconds: 10, operatorToken: OPERATOR_TOKEN, ...scheduler },
    policies,
  });
  const registry = new Registry();
  const log = makeLog("scheduler");
  log.level = process.env["EVENKEEL_LOG_LEVEL"] ?? "silent";
  const running = await startScheduler({ config, redis: redis.connect(true), subscriber: redis.connect(), registry, log });
  const url = `http://127.0.0.1:${running.port}`;
  const send: RunningScheduler["send"] = async (method, path, body, token = OPERATOR_TOKEN) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as AnyAnswer };
  };
  return {
    ...running,
    url,
    keys: makeKeys(config.redis.prefix),
    registry,
    send,
    get: async <T>(path: string) => (await send("GET", path, undefined, null)).body as unknown as T,
  };
}
