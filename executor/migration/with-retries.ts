import { setTimeout as delay } from "node:timers/promises";
import { asEvenkeelError, type ErrorCode, EvenkeelError } from "../../platform/errors.js";
import { readMigration } from "../../platform/migration-record.js";
import type { Held, Surroundings } from "./migration.js";

/** Waits between the tries, in seconds: together longer than a switch takes to start again, and then it is somebody's turn to look. */
const WAITS_SECONDS = [0.5, 1, 2, 4, 8];

/** What a broken connection can cause. */
const CONNECTION_CODES = new Set<ErrorCode>(["PEER_UNREACHABLE", "SYNC_FAILED", "TRANSFER_FAILED", "CHECKSUM_MISMATCH"]);

/**
 * Does something before the freeze that needs the link, and does it again when the connection broke. It must be safe to repeat.
 * @throws CANCELLED once the record is settled, or the last try's error.
 */
export async function withRetries<T>(
  { redis, keys }: Pick<Surroundings, "redis" | "keys">,
  held: Pick<Held, "record" | "log">,
  act: () => Promise<T>,
): Promise<T> {
  for (const waitSeconds of WAITS_SECONDS) {
    try {
      return await act();
    } catch (error) {
      const known = asEvenkeelError(error);
      if (!CONNECTION_CODES.has(known.code)) throw error;
      held.log.warn({ code: known.code, detail: known.detail, waitSeconds }, "the connection broke before the freeze; trying again");
    }
    await delay(waitSeconds * 1000);
    const record = await readMigration(redis, keys, held.record.id);
    if (record?.outcome !== "pending") throw new EvenkeelError("CANCELLED", `${held.record.id} was settled while the link was down`);
  }
  return act();
}
