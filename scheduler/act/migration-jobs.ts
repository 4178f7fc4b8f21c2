import { Queue, type QueueOptions } from "bullmq";
import type { Redis } from "ioredis";
import type { Keys } from "../../platform/keys.js";
import { MIGRATE_JOB, type MigrateJob } from "../protocol.js";

/** Delivers migrations to the executors: one BullMQ queue a source node. */
export interface MigrationJobs {
  /** Adds the job unless it is there already: its id is the migration's. */
  add(migrationId: string, source: string): Promise<void>;
  /** Puts a job back that is gone or has ended although its record is open. True if it had to. */
  restore(migrationId: string, source: string): Promise<boolean>;
  /** Removes the queue of a node that is gone for good, with all that is in it. */
  remove(source: string): Promise<void>;
  /** Lets go of the queues of all other nodes; in Redis they stay. */
  keepOnly(sources: ReadonlySet<string>): Promise<void>;
  close(): Promise<void>;
}

/** An executor settles its own failures in the record; only a crash or a lost Redis makes a job fail, and then it is worth a retry. */
const JOB_OPTIONS = {
  attempts: 5,
  backoff: { type: "exponential", delay: 1000 },
  removeOnComplete: { age: 3600, count: 100 },
  removeOnFail: { age: 24 * 3600, count: 100 },
} as const;

export function makeMigrationJobs(redis: Redis, keys: Keys): MigrationJobs {
  const queues = new Map<string, Queue<MigrateJob>>();
  const makeQueue = (source: string, more: Pick<QueueOptions, "skipMetasUpdate"> = {}) => {
    const queue = new Queue<MigrateJob>(keys.migrateQueue(source), { connection: redis, prefix: keys.queuePrefix, ...more });
    // Its connection is ours; the owner of the connection logs what happens to it.
    queue.on("error", () => {});
    return queue;
  };
  const queueOf = (source: string) => {
    const present = queues.get(source);
    if (present !== undefined) return present;
    const queue = makeQueue(source);
    queues.set(source, queue);
    return queue;
  };
  const letGo = async (source: string) => {
    const queue = queues.get(source);
    queues.delete(source);
    await queue?.close();
  };
  const add = async (migrationId: string, source: string) => {
    await queueOf(source).add(MIGRATE_JOB, { migrationId }, { ...JOB_OPTIONS, jobId: migrationId });
  };
  return {
    add,
    restore: async (migrationId, source) => {
      const queue = queueOf(source);
      // As a removal leaves it that broke off: nothing would ever be taken from it.
      if (await queue.isPaused()) await queue.resume();
      const job = await queue.getJob(migrationId);
      if (job !== undefined && !(await job.isCompleted()) && !(await job.isFailed())) return false;
      await job?.remove();
      await add(migrationId, source);
      return true;
    },
    remove: async (source) => {
      await letGo(source);
      // It must not write again what it is there to remove.
      const queue = makeQueue(source, { skipMetasUpdate: true });
      try {
        await queue.obliterate({ force: true });
      } finally {
        await queue.close();
      }
    },
    keepOnly: async (sources) => {
      await Promise.all([...queues.keys()].filter((source) => !sources.has(source)).map(letGo));
    },
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}
