import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";
import { createMigration } from "../../platform/migration-record.js";
import type { Move } from "../../policies/types.js";
import type { FleetPicture } from "../fleet/build-snapshot.js";
import type { MigrationJobs } from "./migration-jobs.js";

export interface Actor {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly jobs: MigrationJobs;
  /** The leader's term, carried by every write. */
  readonly term: number;
}

/**
 * Opens the record, then delivers the job: a crash in between leaves a record without a job, which recovery mends.
 * @returns the migration's id.
 * @throws WORKLOAD_NOT_FOUND, WORKLOAD_MIGRATING, FENCED.
 */
export async function startMigration({ redis, keys, jobs, term }: Actor, picture: FleetPicture, move: Move): Promise<string> {
  const workload = picture.placed.find(({ id }) => id === move.workload);
  const state = picture.snapshot.workloads.find(({ id }) => id === move.workload);
  if (workload === undefined || state === undefined) throw new EvenkeelError("WORKLOAD_NOT_FOUND", move.workload);
  // The picture may have aged while others of its moves were being started.
  const movedAt = Number((await redis.hget(keys.lastMoved, move.workload)) ?? 0);
  if (movedAt > picture.reading.at) throw new EvenkeelError("WORKLOAD_MIGRATING", `${workload.reading.name} has just arrived elsewhere`);
  const at = nowSeconds();
  const id = makeMigrationId(at);
  const { name, containerId } = workload.reading;
  const { from, to, reason, because } = move;
  await createMigration(
    redis,
    keys,
    { id, workload: move.workload, name, containerId, from, to, reason, because, mode: state.constraints.mode },
    at,
    term,
  );
  await jobs.add(id, from);
  return id;
}

/** Sorts by time; holds no `:`, which BullMQ forbids in a job's id. */
function makeMigrationId(at: number): string {
  return `m-${Math.floor(at * 1000).toString(36)}-${randomBytes(4).toString("hex")}`;
}
