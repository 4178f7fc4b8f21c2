import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Redis } from "ioredis";
import type { Registry } from "prom-client";
import { nowSeconds } from "../platform/clock.js";
import type { Config } from "../platform/config.js";
import { makeKeys } from "../platform/keys.js";
import type { Logger } from "../platform/log.js";
import { makeMigrationJobs } from "./act/migration-jobs.js";
import { makeTurns } from "./act/turns.js";
import { recordAudit } from "./audit.js";
import { makeFleetView } from "./fleet/fleet-view.js";
import { makeServer } from "./http/make-server.js";
import { holdLease, type Lease } from "./lease.js";
import { makeSchedulerMetrics } from "./metrics.js";
import { subscribeNotes } from "./notes.js";
import { makePowerActs } from "./power/carry-out-power.js";
import { followSettings } from "./reload.js";
import { leaveRoll } from "./roll.js";
import { startTicking } from "./tick.js";

export interface SchedulerParts {
  readonly config: Config;
  /** The file it came from: its `policies`, mode and windows are followed. Left out = they stay as they are. */
  readonly configFile?: string;
  readonly redis: Redis;
  /** A connection of its own, used for nothing but subscribing. */
  readonly subscriber: Redis;
  readonly registry: Registry;
  readonly log: Logger;
}

export interface Scheduler {
  readonly port: number;
  /** The term under which it leads; null when it does not. */
  term(): number | null;
  /** Reads these settings from the file again, as it does by itself when the file changes. */
  reload(): void;
  /** Ends the tick under way, gives the lease back, stops serving. The connections stay the caller's. */
  close(): Promise<void>;
}

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);
/** For nodes that sleep although the configuration no longer says how they are woken. */
const POWER_DEADLINE_SECONDS = 300;
const FLAGS: ReadonlySet<string> = new Set(["maintenance", "cordon", "pause"]);
/** What makes the next tick come at once, as a flag does. A record that is opened or moves on is the scheduler's own doing, or changes nothing for it. */
const STAGES_THAT_WAKE: ReadonlySet<string> = new Set(["closed", "aborted"]);

/** @throws CONFIG_INVALID, or the system's error when the port is taken. */
export async function startScheduler({ config, configFile, redis, subscriber, registry, log }: SchedulerParts): Promise<Scheduler> {
  const { scheduler, collector } = config;
  const keys = makeKeys(config.redis.prefix);
  const jobs = makeMigrationJobs(redis, keys);
  const notes = await subscribeNotes(subscriber, keys);
  const { sampleTtlSeconds, intervalSeconds } = collector;
  const metrics = makeSchedulerMetrics(registry);
  const policies = followSettings({
    path: configFile ?? null,
    initial: config,
    log,
    onReload: (error) => {
      if (error !== null) metrics.countReloadFailure();
      const kind = error === null ? "config-reloaded" : "config-refused";
      const entry = { at: nowSeconds(), kind, actor: "scheduler", detail: error ?? "new settings are in force" };
      recordAudit(redis, keys, entry, 0).catch((cause) => log.warn({ err: cause }, "the reload could not be noted"));
    },
  });
  const powerDeadlineSeconds = scheduler.power?.deadlineSeconds ?? POWER_DEADLINE_SECONDS;
  const { windows } = policies;
  const power = makePowerActs(scheduler.power, log);
  const view = makeFleetView({ redis, keys, sampleTtlSeconds, intervalSeconds, policies, windows, powerDeadlineSeconds });
  // Competes only once its API answers: the lease tells others where it is.
  let lease: Lease | null = null;
  let url: string | null = null;
  const leadership = { term: () => lease?.term() ?? null };
  const holder = `${hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`;
  const self = { holder, url: () => url };
  const { tickSeconds } = scheduler;
  const shared = { redis, keys, jobs, inTurn: makeTurns(), leadership, view, windows, policies, power, log };
  const ticker = startTicking({ ...shared, self, metrics, tickSeconds });
  metrics.followLeadership(() => leadership.term() !== null && ticker.trouble() === null);
  notes.listen(({ kind, stage }) => {
    if (FLAGS.has(kind) || (kind === "migration" && STAGES_THAT_WAKE.has(stage ?? ""))) ticker.wake();
  });
  const server = await makeServer({ ...shared, config, notes, ticker, registry });
  const close = async () => {
    policies.close();
    await server.close();
    notes.close();
    await ticker.close();
    await leaveRoll(redis, keys, holder).catch((error: unknown) => log.warn({ err: error }, "the roll of schedulers could not be left"));
    await power.close();
    await lease?.close();
    await jobs.close();
  };
  try {
    await server.listen({ host: scheduler.host, port: scheduler.port });
  } catch (error) {
    await close();
    throw error;
  }
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : scheduler.port;
  const host = WILDCARDS.has(scheduler.host) ? hostname() : scheduler.host;
  url = scheduler.advertiseUrl ?? `http://${host}:${port}`;
  lease = holdLease(redis, keys, {
    holder,
    url,
    leaseSeconds: scheduler.leaseSeconds,
    onChange: (term) => {
      log.info({ term }, term === null ? "no longer the leader" : "leads");
      ticker.wake();
    },
    onError: (error) => log.warn({ err: error }, "the lease could not be asked for"),
  });
  return { port, term: leadership.term, reload: policies.reload, close };
}
