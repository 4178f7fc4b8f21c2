import type { NodePoint } from "../types.js";

/** One resource's readings, oldest first, those that failed left out: a gap stays a gap. */
export interface Reading {
  readonly at: number;
  readonly value: number;
}

export function readingsOf(
  history: readonly NodePoint[],
  resource: "cpuRatio" | "memoryRatio",
  since = Number.NEGATIVE_INFINITY,
): Reading[] {
  const readings: Reading[] = [];
  for (const { at, [resource]: value } of history) if (at >= since && value !== null) readings.push({ at, value });
  return readings;
}

/** The newest points of a history, which is oldest first, back to then. */
export function pointsSince(history: readonly NodePoint[], since: number): readonly NodePoint[] {
  let first = history.length;
  while (first > 0 && history[first - 1]!.at >= since) first--;
  return history.slice(first);
}

/** What is expected, and its standard error: two thirds of what comes is within `error` of `value`, if the past is any guide. */
export interface Expectation {
  readonly value: number;
  readonly error: number;
}
