import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import type { Keys } from "../../platform/keys.js";
import { abortMigration, closeMigration, type MigrationRecord, type Outcome } from "../../platform/migration-record.js";

/** Settles an open migration for its source, unless it has committed. @returns the outcome that stands. */
export async function cancelMigration(redis: Redis, keys: Keys, record: MigrationRecord, why: string): Promise<Outcome | "gone"> {
  const outcome = await abortMigration(redis, keys, record.id, nowSeconds(), why);
  // Never taken up: nobody else would close it. An executor that takes it up just now finds it settled.
  if (outcome === "aborted" && record.epoch === 0) {
    await closeMigration(redis, keys, record, nowSeconds(), { result: "cancelled", errorCode: "CANCELLED", errorMessage: why });
  }
  return outcome;
}
