import type { WorkloadDescription } from "../engine/engine.js";
import { copyAhead } from "./copy-ahead.js";
import type { Held, Surroundings } from "./migration.js";

/** How a workload's memory crosses. */
export type Mode = "precopy" | "stopcopy" | "cold";

export interface ModeSteps {
  /** Why it cannot be done on this node, in words; null = it can. */
  whyNot(surroundings: Surroundings): Promise<string | null>;
  /** Done while the workload runs, right before the freeze. Returns on how many rounds the final images build. */
  ahead(surroundings: Surroundings, held: Held, description: WorkloadDescription): Promise<number>;
}

export const MODES: Readonly<Record<Mode, ModeSteps>> = {
  precopy: { whyNot: ({ engine }) => engine.whyNoPrecopy(), ahead: copyAhead },
  stopcopy: { whyNot: async () => null, ahead: async () => 0 },
  cold: { whyNot: async () => null, ahead: async () => 0 },
};

/** `modeUsed` and `modeBecause` of the record. */
export interface ModeChoice {
  readonly mode: Mode;
  readonly because: string;
}

/** Decided by preflight and what the owner allows. */
export const COLD: ModeChoice = { mode: "cold", because: "it may be stopped, and that was asked for or CRIU would refuse it" };

/** The mode that is used for what was asked: one that cannot be had here gives way to stopcopy, with the reason. */
export async function chooseMode(surroundings: Surroundings, asked: string): Promise<ModeChoice> {
  if (asked === "stopcopy") return { mode: "stopcopy", because: "asked for" };
  const why = await MODES.precopy.whyNot(surroundings);
  if (why !== null) return { mode: "stopcopy", because: `not precopy: ${why}` };
  return { mode: "precopy", because: asked === "precopy" ? "asked for" : "its memory can cross while it runs" };
}
