import { setTimeout as delay } from "node:timers/promises";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import { abortMigration } from "../../platform/migration-record.js";
import type { Checkpoint, WorkloadDescription } from "../engine/engine.js";
import { type KeepingEnded, keepEnded } from "./keep-ended.js";
import type { Held, Surroundings } from "./migration.js";
import type { Progress } from "./settle.js";
import type { RecordWatch } from "./watch-record.js";

const RETRY_SECONDS = 0.2;

export type Guard = Pick<KeepingEnded, "close">;

const REASONS = {
  "holder-ended": () => new EvenkeelError("CHECKPOINT_FAILED", "CRIU ended while the workload was frozen"),
  started: () => new EvenkeelError("WORKLOAD_CHANGED", "somebody started it while it was stopped to be moved"),
} as const;

/**
 * A frozen workload that is let go by nobody's will (CRIU was killed) runs again, as does a stopped one that somebody has started: no copy may be committed any more. Where one has been, it is the workload here
 * that must not run: it is ended, and its files stay until the copy is known to run. To be closed before it may run here again, and when nobody waits for the
 * migration any more: whoever takes it up has a guard of his own.
 */
export function guardFrozen(
  { redis, keys, engine }: Surroundings,
  { record, log }: Pick<Held, "record" | "log">,
  guarded: { description: WorkloadDescription; checkpoint: Checkpoint; watch: RecordWatch; progress: Pick<Progress, "wasLetGo"> },
): Guard {
  const { description, checkpoint, watch, progress } = guarded;
  let isOver = false;
  let keeping: KeepingEnded | null = null;
  const act = async (why: EvenkeelError) => {
    const outcome = await abortMigration(redis, keys, record.id, nowSeconds(), why.message);
    if (outcome !== "committed") return watch.fail(why);
    if (isOver) return;
    log.error({ why: why.message }, "after the commit: ending the workload here");
    keeping = keepEnded(engine, description, log);
  };
  checkpoint.letGo.then(async (how) => {
    progress.wasLetGo = how === "holder-ended";
    const why = REASONS[how]();
    for (;;) {
      try {
        return await act(why);
      } catch (error) {
        log.error({ error: String(error), why: why.message }, "trying again to settle that the workload runs here");
        if (isOver) return;
        await delay(RETRY_SECONDS * 1000);
      }
    }
  });
  return {
    close: async () => {
      isOver = true;
      await keeping?.close();
    },
  };
}
