import type { PolicyConfig } from "../config.js";
import type { ClosedMigration } from "../types.js";

export interface Limits {
  readonly perNode: number;
  readonly fleet: number;
}

/**
 * What may be under way at once: the configured limits, halved for each late migration that failed or whose blackout was
 * over the goal, and one more again for each that was well.
 */
export function limitsNow(concurrency: PolicyConfig["concurrency"], recent: readonly ClosedMigration[]): Limits {
  const { perNode, fleet, blackoutGoalSeconds } = concurrency;
  if (blackoutGoalSeconds === null || blackoutGoalSeconds === undefined) return { perNode, fleet };
  let limit = fleet;
  for (const { succeeded, blackoutSeconds } of recent) {
    const isWell = succeeded && (blackoutSeconds ?? 0) <= blackoutGoalSeconds;
    limit = isWell ? Math.min(fleet, limit + 1) : Math.max(1, Math.floor(limit / 2));
  }
  return { perNode: Math.min(perNode, limit), fleet: Math.min(fleet, limit) };
}
