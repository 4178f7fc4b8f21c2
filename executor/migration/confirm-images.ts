import { nowSeconds } from "../../platform/clock.js";
import { advanceMigration } from "../../platform/migration-record.js";
import type { Held, Surroundings } from "./migration.js";

const AGAIN_SECONDS = 1;

/**
 * Says in the record that the images are as they should be, for which the commit waits; and again until the restore has its answer, since a Redis that was started anew may have forgotten it.
 * @throws FENCED
 */
export async function confirmImages(
  { redis, keys, log }: Pick<Surroundings, "redis" | "keys" | "log">,
  { record: { id, epoch } }: Pick<Held, "record">,
  answer: Promise<unknown>,
): Promise<void> {
  const confirm = () => advanceMigration(redis, keys, nowSeconds(), { id, epoch, stage: "restore", fields: { unconfirmed: null } });
  await confirm();
  const timer = setInterval(() => {
    // Refused once the copy counts.
    confirm().catch((error: unknown) => log.debug({ migration: id, error: String(error) }, "not confirmed again"));
  }, AGAIN_SECONDS * 1000);
  const stop = () => clearInterval(timer);
  void answer.then(stop, stop);
}
