import { Worker } from "bullmq";
import type { Redis } from "ioredis";
import { nowSeconds } from "../platform/clock.js";
import { claimMigration, readMigration } from "../platform/migration-record.js";
import type { MigrateJob } from "../scheduler/protocol.js";
import type { ExecutorMetrics } from "./metrics.js";
import type { Surroundings } from "./migration/migration.js";
import { recoverMigration } from "./migration/recover.js";
import { runMigration } from "./migration/run.js";

export interface MigrationWorker {
  close(): Promise<void>;
}

/**
 * Takes the moves that leave this node. BullMQ delivers at least once: a job whose record was taken up before is settled, not run again.
 * `connection` is duplicated by BullMQ for its blocking reads.
 */
export function startWorker(surroundings: Surroundings, metrics: ExecutorMetrics, connection: Redis, concurrency: number): MigrationWorker {
  const { redis, keys, node, log } = surroundings;
  const inHand = new Set<string>();
  const worker = new Worker<MigrateJob>(
    keys.migrateQueue(node),
    async (job) => {
      const id = job.data.migrationId;
      if (inHand.has(id)) return;
      inHand.add(id);
      metrics.migrationStarted();
      try {
        const record = await claimMigration(redis, keys, id, nowSeconds());
        if (record === null || record.from !== node) return;
        if (record.stage === "queued" && record.outcome === "pending") await runMigration(surroundings, record);
        else await recoverMigration(surroundings, record);
      } finally {
        inHand.delete(id);
        metrics.migrationEnded(await readMigration(redis, keys, id));
      }
    },
    { connection: connection as never, prefix: keys.queuePrefix, concurrency, autorun: true },
  );
  worker.on("failed", (job, error) => log.error({ migration: job?.data.migrationId, error: error.stack }, "job failed"));
  worker.on("error", (error) => log.warn({ error: error.message }, "queue trouble"));
  return { close: () => worker.close(true) };
}

/**
 * Settles what an earlier executor of this node left in the middle, at once: waiting for BullMQ to notice the stalled job would keep a
 * workload frozen for half a minute.
 */
export async function recoverOpenMigrations(surroundings: Surroundings): Promise<void> {
  const { redis, keys, node, log } = surroundings;
  for (const id of await redis.smembers(keys.openMigrations)) {
    const seen = await readMigration(redis, keys, id);
    if (seen === null || seen.from !== node || (seen.stage === "queued" && seen.outcome === "pending")) continue;
    const record = await claimMigration(redis, keys, id, nowSeconds());
    if (record !== null) {
      await recoverMigration(surroundings, record).catch((error: unknown) =>
        log.error({ migration: id, error: String(error) }, "recovery failed"),
      );
    }
  }
}
