import { nowSeconds } from "../../platform/clock.js";
import { abortMigration, closeMigration, type MigrationRecord, type Outcome, readMigration } from "../../platform/migration-record.js";
import type { Actor } from "./start-migration.js";

/**
 * Settles an open migration, and all that move as one with it, for its source, unless it has committed. `term`: 0 where an operator asks for it.
 * @returns the outcome that stands. @throws FENCED
 */
export async function cancelMigration(
  { redis, keys, term }: Pick<Actor, "redis" | "keys" | "term">,
  { id, members }: MigrationRecord,
  why: string,
): Promise<Outcome | "gone"> {
  const outcome = await abortMigration(redis, keys, id, nowSeconds(), why, term);
  if (outcome !== "aborted") return outcome;
  for (const member of members.length === 0 ? [id] : members) {
    const record = await readMigration(redis, keys, member);
    // Never taken up: nobody else would close it, or only as if an executor had died over it. One that takes it up just now finds it settled.
    if (record?.outcome !== "aborted" || record.epoch !== 0 || record.closedAt !== null) continue;
    await closeMigration(redis, keys, record, nowSeconds(), { result: "cancelled", errorCode: "CANCELLED", errorMessage: why });
  }
  return outcome;
}
