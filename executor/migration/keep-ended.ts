import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../platform/log.js";
import type { SourceEngine, WorkloadDescription } from "../engine/engine.js";

const LOOK_SECONDS = 0.2;

export interface KeepingEnded {
  /** From then on it may run here. Waits for what is being done. */
  close(): Promise<void>;
}

/**
 * Ends a workload whose copy counts, and ends it again should anybody start it: a unit of systemd may do so every half minute, for as long as the link to the
 * copy is cut. Until it is removed, or the migration has ended. `first` settles when it has been ended once, or could not be.
 */
export function keepEnded(
  engine: Pick<SourceEngine, "end">,
  description: WorkloadDescription,
  log: Logger,
): KeepingEnded & { readonly first: Promise<unknown> } {
  let isOver = false;
  const end = () =>
    engine.end(description).catch((error: unknown) => {
      log.error({ error: String(error) }, "the workload here could not be ended");
      return true;
    });
  let ending = end();
  const first = ending;
  const again = async () => {
    while ((await ending) && !isOver) {
      await delay(LOOK_SECONDS * 1000, undefined, { ref: false });
      if (!isOver) ending = end();
    }
  };
  void again();
  return {
    first,
    close: async () => {
      isOver = true;
      await ending;
    },
  };
}
