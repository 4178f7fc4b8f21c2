import type { NodePoint } from "../types.js";

export interface Bounds {
  readonly detectRatio: number;
  readonly fixRatio: number;
  readonly holdSeconds: number;
  /** As long as a sample is believed: less than this between two readings is the collector's rhythm and no hole. */
  readonly holeSeconds: number;
}

/**
 * - `overloaded`: above the detect bound for the hold time, and not yet back at the fix bound.
 * - `warming`: above the detect bound, but not for long enough, or the smoothed reading does not agree.
 */
export type Heat = "level" | "warming" | "overloaded";

/**
 * Judges one resource of a node on its history and on its smoothed use, which must agree. An episode of overload, once
 * begun, lasts until the node is back at the fix bound, so that relief given one move at a time goes all the way; or until
 * its beginning is older than the history.
 */
export function detectOverload(
  history: readonly NodePoint[],
  resource: "cpuRatio" | "memoryRatio",
  smoothedRatio: number,
  bounds: Bounds,
): Heat {
  const latest = history.at(-1)?.[resource] ?? null;
  if (latest === null) return "level";
  const episode = isEpisodeOpen(history, resource, bounds);
  const bound = latest > bounds.detectRatio ? bounds.detectRatio : bounds.fixRatio;
  if (episode && latest > bounds.fixRatio && smoothedRatio > bound) return "overloaded";
  return latest > bounds.detectRatio ? "warming" : "level";
}

function isEpisodeOpen(history: readonly NodePoint[], resource: "cpuRatio" | "memoryRatio", bounds: Bounds): boolean {
  let aboveSince: number | null = null;
  let previousAt = Number.NEGATIVE_INFINITY;
  for (let index = lastEnd(history, resource, bounds) + 1; index < history.length; index++) {
    const { at, [resource]: ratio } = history[index]!;
    // A hole in which the node was unknown proves nothing about the time in between.
    if (ratio! <= bounds.detectRatio || at - previousAt > bounds.holeSeconds) aboveSince = null;
    previousAt = at;
    if (ratio! <= bounds.detectRatio) continue;
    aboveSince ??= at;
    if (at - aboveSince >= bounds.holdSeconds) return true;
  }
  return false;
}

/** Index of the newest reading that ends any episode, since it is back at the fix bound or failed and proves nothing; -1 = none does. */
function lastEnd(history: readonly NodePoint[], resource: "cpuRatio" | "memoryRatio", { fixRatio }: Bounds): number {
  return history.findLastIndex(({ [resource]: ratio }) => ratio === null || ratio <= fixRatio);
}
