import { Worker } from "bullmq";
import type { Redis } from "ioredis";
import { nowSeconds } from "../platform/clock.js";
import { claimMigration, type MigrationRecord, readMigration } from "../platform/migration-record.js";
import type { MigrateJob } from "../scheduler/protocol.js";
import type { ExecutorMetrics } from "./metrics.js";
import { findLeftBehind } from "./migration/left-behind.js";
import type { Surroundings } from "./migration/migration.js";
import { recoverMigration } from "./migration/recover.js";
import { ALONE, makeRendezvous } from "./migration/rendezvous.js";
import { runMigration } from "./migration/run.js";

export interface MigrationWorker {
  close(): Promise<void>;
}

/** How often records that nobody holds are looked for. */
const SETTLE_INTERVAL_SECONDS = 5;

/**
 * Takes the moves that leave this node. BullMQ delivers at least once: a job whose record was taken up before is settled, not run again.
 * What an earlier executor left in the middle is settled at once and then every few seconds: waiting for BullMQ to notice a stalled job would
 * keep a workload frozen for half a minute. `connection` is duplicated by BullMQ for its blocking reads.
 */
export function startWorker(surroundings: Surroundings, metrics: ExecutorMetrics, connection: Redis, concurrency: number): MigrationWorker {
  const { redis, keys, node, log, inHand } = surroundings;
  /** Of migrations that nobody remembers any more; said once. */
  const toldOf = new Set<string>();

  /** Takes up a migration, with all that are carried out as one with it. */
  async function take(id: string): Promise<void> {
    const members = (await readMigration(redis, keys, id))?.members ?? [];
    const ids = members.length > 0 ? members : [id];
    if (ids.some((each) => inHand.has(each))) return;
    for (const each of ids) {
      inHand.add(each);
      metrics.migrationStarted();
    }
    try {
      const claimed = await Promise.all(ids.map((each) => claimMigration(redis, keys, each, nowSeconds())));
      const records = claimed.filter((record) => record !== null && record.from === node) as MigrationRecord[];
      // Together from the beginning or not at all: what an earlier executor began is settled, one by one.
      const isNew = records.length === ids.length && records.every(({ stage, outcome }) => stage === "queued" && outcome === "pending");
      const rendezvous = ids.length > 1 ? makeRendezvous(ids.length) : ALONE;
      const done = await Promise.allSettled(
        records.map((record) =>
          isNew
            ? runMigration(surroundings, record, rendezvous).catch((error: Error) => {
                rendezvous.leave(error);
                throw error;
              })
            : recoverMigration(surroundings, record),
        ),
      );
      const failed = done.find((each) => each.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    } finally {
      for (const each of ids) {
        inHand.delete(each);
        metrics.migrationEnded(await readMigration(redis, keys, each));
      }
    }
  }

  async function settleForgotten(): Promise<void> {
    for (const id of await redis.smembers(keys.openMigrations)) {
      const record = await readMigration(redis, keys, id);
      // A queued one still waits for its job.
      if (record === null || record.from !== node || (record.stage === "queued" && record.outcome === "pending")) continue;
      // Side by side: one whose destination is away must not keep the others frozen.
      take(id).catch((error: unknown) => log.error({ migration: id, error: String(error) }, "not settled yet"));
    }
  }

  /** While this node was away it may have been forgotten, and its records closed: what it still holds is given back or removed as they say. */
  async function settleLeftBehind(): Promise<void> {
    for (const id of await findLeftBehind(surroundings)) {
      if (inHand.has(id)) continue;
      const record = await readMigration(redis, keys, id);
      if (record === null && !toldOf.has(id)) {
        toldOf.add(id);
        log.error({ migration: id }, "something of a migration is left here, and Redis has forgotten how that ended: left as it is");
      }
      // Looked at again: it may have been taken up while its record was read.
      if (record === null || record.closedAt === null || inHand.has(id)) continue;
      inHand.add(id);
      recoverMigration(surroundings, record)
        .catch((error: unknown) => log.error({ migration: id, error: String(error) }, "not settled yet"))
        .finally(() => inHand.delete(id));
    }
  }

  const worker = new Worker<MigrateJob>(keys.migrateQueue(node), (job) => take(job.data.migrationId), {
    connection: connection as never,
    prefix: keys.queuePrefix,
    concurrency,
  });
  worker.on("failed", (job, error) => log.error({ migration: job?.data.migrationId, error: error.stack }, "job failed"));
  worker.on("error", (error) => log.warn({ error: error.message }, "queue trouble"));
  const settle = () =>
    void Promise.all([settleForgotten(), settleLeftBehind()]).catch((error: unknown) =>
      log.warn({ error: String(error) }, "could not look for forgotten migrations"),
    );
  const timer = setInterval(settle, SETTLE_INTERVAL_SECONDS * 1000);
  settle();
  return {
    close: async () => {
      clearInterval(timer);
      await worker.close(true);
    },
  };
}
