import type { MigrationMode } from "../../policies/types.js";
import { copyAhead, type MemoryAhead } from "./copy-ahead.js";
import type { Held, Surroundings } from "./migration.js";

export interface ModeSteps {
  /** Why it cannot be done on this node, in words; null = it can. */
  whyNot(surroundings: Surroundings): Promise<string | null>;
  /**
   * Done while the workload runs, right before the freeze; calls `makeReady` once, which brings the destination to where it needs the images. Returns
   * on how many rounds the final images build.
   */
  ahead(surroundings: Surroundings, held: Held, memory: MemoryAhead, makeReady: () => Promise<void>): Promise<number>;
}

const nothing: ModeSteps["ahead"] = async (_surroundings, _held, _memory, makeReady) => {
  await makeReady();
  return 0;
};
const can = async () => null;

/** How a workload's memory crosses. */
export const MODES: Readonly<Record<MigrationMode, ModeSteps>> = {
  precopy: { whyNot: ({ engine }) => engine.whyNoPrecopy(), ahead: copyAhead },
  stopcopy: { whyNot: can, ahead: nothing },
  postcopy: { whyNot: ({ engine }) => engine.whyNotLazy(), ahead: nothing },
  cold: { whyNot: can, ahead: nothing },
};
