import { setTimeout as delay } from "node:timers/promises";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import { abortMigration } from "../../platform/migration-record.js";
import type { Checkpoint, WorkloadDescription } from "../engine/engine.js";
import type { Held, Surroundings } from "./migration.js";
import type { Progress } from "./settle.js";
import type { RecordWatch } from "./watch-record.js";

const RETRY_SECONDS = 0.2;

/**
 * A frozen workload that is let go by nobody's will (CRIU was killed) runs again: no copy may be committed any more. Where one has been, it is the workload here
 * that must not run: it is ended, and its files stay until the copy is known to run.
 */
export function guardFrozen(
  { redis, keys, engine }: Surroundings,
  { record, log }: Pick<Held, "record" | "log">,
  guarded: { description: WorkloadDescription; checkpoint: Checkpoint; watch: RecordWatch; progress: Pick<Progress, "wasLetGo"> },
): void {
  const { description, checkpoint, watch, progress } = guarded;
  const act = async () => {
    const why = new EvenkeelError("CHECKPOINT_FAILED", "CRIU ended while the workload was frozen");
    const outcome = await abortMigration(redis, keys, record.id, nowSeconds(), why.message);
    if (outcome === "aborted") return watch.fail(why);
    log.error({ outcome }, "CRIU ended after the commit: ending the workload here");
    await engine.end(description);
  };
  checkpoint.letGo.then(async () => {
    progress.wasLetGo = true;
    for (;;) {
      try {
        return await act();
      } catch (error) {
        log.error({ error: String(error) }, "CRIU ended while the workload was frozen; trying again to settle that");
        await delay(RETRY_SECONDS * 1000);
      }
    }
  });
}
