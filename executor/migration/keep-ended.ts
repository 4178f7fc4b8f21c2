import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../platform/log.js";
import type { SourceEngine, WorkloadDescription } from "../engine/engine.js";

const LOOK_SECONDS = 0.2;

export interface KeepingEnded {
  /** Resolves once it has been ended for the first time, or may run here again. */
  readonly first: Promise<void>;
  /** From then on it may run here. Waits for what is being done. */
  close(): Promise<void>;
}

/**
 * Ends a workload whose copy counts, and ends it again should anybody start it: a unit of systemd may do so every half minute, for as long as the link to the
 * copy is cut. Until it is removed, or whoever asked for it says otherwise.
 */
export function keepEnded(engine: Pick<SourceEngine, "end">, description: WorkloadDescription, log: Logger): KeepingEnded {
  let isOver = false;
  let ending: Promise<boolean> = Promise.resolve(true);
  let noteFirst: () => void = () => {};
  const first = new Promise<void>((resolve) => {
    noteFirst = resolve;
  });
  const end = async (): Promise<boolean> => {
    try {
      const isThere = await engine.end(description);
      noteFirst();
      return isThere;
    } catch (error) {
      log.error({ error: String(error) }, "the workload here could not be ended");
      return true;
    }
  };
  const again = async () => {
    while (!isOver) {
      ending = end();
      if (!(await ending)) return;
      await delay(LOOK_SECONDS * 1000, undefined, { ref: false });
    }
  };
  void again();
  return {
    first,
    close: async () => {
      isOver = true;
      await ending;
      noteFirst();
    },
  };
}
