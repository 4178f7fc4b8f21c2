import type { NodePoint } from "../types.js";

export interface WindowMean {
  readonly mean: number;
  /** From the first to the last point that counted. */
  readonly spanSeconds: number;
}

/** The mean of a node's readings since then, those that failed left out; null when there are none. Oldest first. */
export function meanSince(history: readonly NodePoint[], resource: "cpuRatio" | "memoryRatio", since: number): WindowMean | null {
  let sum = 0;
  let count = 0;
  let first = 0;
  let last = 0;
  for (const point of history) {
    const ratio = point[resource];
    if (point.at < since || ratio === null) continue;
    if (count === 0) first = point.at;
    last = point.at;
    sum += ratio;
    count++;
  }
  return count === 0 ? null : { mean: sum / count, spanSeconds: last - first };
}
