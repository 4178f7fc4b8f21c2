import type { PolicyConfig } from "../config.js";
import { percentileOf } from "../estimate/percentile.js";
import type { ClosedMigration } from "../types.js";

export interface Limits {
  readonly perNode: number;
  readonly fleet: number;
}

/** Without a goal of the operator's: so many times the usual blackout is long … */
const LONG_TIMES = 3;
/** … once so many tell what is usual. */
const LEAST_TELLING = 5;

/**
 * What may be under way at once: the configured limits, halved for each late migration that failed or whose blackout was
 * over the goal, and one more again for each that was well.
 */
export function limitsNow(concurrency: PolicyConfig["concurrency"], recent: readonly ClosedMigration[]): Limits {
  const { perNode, fleet, blackoutGoalSeconds } = concurrency;
  const goalSeconds = blackoutGoalSeconds ?? LONG_TIMES * usualBlackout(recent);
  let limit = fleet;
  for (const { succeeded, blackoutSeconds } of recent) {
    const isWell = succeeded && (blackoutSeconds ?? 0) <= goalSeconds;
    limit = isWell ? Math.min(fleet, limit + 1) : Math.max(1, Math.floor(limit / 2));
  }
  return { perNode: Math.min(perNode, limit), fleet: Math.min(fleet, limit) };
}

function usualBlackout(recent: readonly ClosedMigration[]): number {
  const blackouts = recent.flatMap(({ blackoutSeconds }) => blackoutSeconds ?? []);
  return blackouts.length < LEAST_TELLING ? Number.POSITIVE_INFINITY : percentileOf(blackouts, 0.5)!;
}
