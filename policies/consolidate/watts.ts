import type { NodeState } from "../types.js";

/** Watts at equally spaced CPU ratios, separated by commas: `io.evenkeel.watts=90,105,120,130`. */
export const WATTS_LABEL = "io.evenkeel.watts";
/** A node without the label is taken for a small server: idle and full. Only differences between nodes matter much. */
const USUAL_WATTS: readonly number[] = [90, 180];

/** @returns the curve of a label; null when it is not a list of at least two numbers above 0 */
export function parseWatts(label: string | undefined): readonly number[] | null {
  const watts = (label ?? "").split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  return watts.length >= 2 && watts.every((value) => Number.isFinite(value) && value > 0) ? watts : null;
}

/** What a node draws: when idle, and when full for each core. */
export interface Draw {
  readonly idleWatts: number;
  readonly wattsPerCore: number;
}

export function drawOf({ labels, cpuCapacityCores }: Pick<NodeState, "labels" | "cpuCapacityCores">): Draw {
  const watts = parseWatts(labels[WATTS_LABEL]) ?? USUAL_WATTS;
  return { idleWatts: watts[0]!, wattsPerCore: watts.at(-1)! / cpuCapacityCores };
}

/** Cheapest CPU first, then what draws least when idle. */
export function compareDraws(a: Draw, b: Draw): number {
  return a.wattsPerCore - b.wattsPerCore || a.idleWatts - b.idleWatts;
}
