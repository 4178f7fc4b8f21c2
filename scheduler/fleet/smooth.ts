import { pointsSince } from "../../policies/estimate/series.js";
import type { NodePoint } from "../../policies/types.js";

/** What is older by so many time constants weighs a billionth. */
const REACH = 20;

/**
 * Exponentially weighted mean of one ratio over a history of uneven steps (Eckner, "Algorithms for Unevenly Spaced Time Series", 2012):
 * a point's weight fades by e each `timeConstantSeconds`. A reading that failed is left out. Null when none is known.
 */
export function smoothRatio(
  history: readonly NodePoint[],
  resource: "cpuRatio" | "memoryRatio",
  timeConstantSeconds: number,
): number | null {
  let mean: number | null = null;
  let previousAt = 0;
  const oldest = (history.at(-1)?.at ?? 0) - REACH * timeConstantSeconds;
  for (const { at, [resource]: ratio } of pointsSince(history, oldest)) {
    if (ratio === null) continue;
    const kept: number = mean === null ? 0 : Math.exp(-Math.max(0, at - previousAt) / timeConstantSeconds);
    mean = kept * (mean ?? 0) + (1 - kept) * ratio;
    previousAt = at;
  }
  return mean;
}
