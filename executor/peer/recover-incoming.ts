import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { abortMigration } from "../../platform/migration-record.js";
import type { Incoming } from "./incoming.js";

/**
 * Settles the halves that an earlier executor of this node left behind. One that had not committed is given up (its source goes on);
 * one that had is brought to its end, since only this copy may run.
 */
export async function recoverIncoming(needs: { incoming: Incoming; redis: Redis; keys: Keys; log: Logger; node: string }): Promise<void> {
  const { incoming, redis, keys, log, node } = needs;
  for (const id of await incoming.known()) {
    const outcome = await abortMigration(redis, keys, id, nowSeconds(), `the executor of ${node} stopped`);
    log.warn({ migration: id, outcome }, "taking up an interrupted arrival");
    try {
      if (outcome === "committed") await incoming.resume(id);
      else await incoming.remove(id);
    } catch (error) {
      log.error({ migration: id, error: String(error) }, "arrival not settled");
    }
  }
}
