import type { CompleteConfig } from "../config.js";
import type { SkipReason, WorkloadState } from "../types.js";

export const DAY_SECONDS = 86_400;

/** The same workload is not moved again and again: its rest grows with each move of the last day, up to a day. */
export function restSeconds(workload: WorkloadState, config: CompleteConfig, now: number): number {
  const moves = movesSince(workload, now - DAY_SECONDS);
  return Math.min(
    Math.max(DAY_SECONDS, config.cooldownSeconds),
    config.cooldownSeconds * config.fairness.cooldownGrowth ** Math.max(0, moves - 1),
  );
}

export function whyNotAgain(workload: WorkloadState, config: CompleteConfig, now: number): SkipReason | null {
  if (workload.lastMovedAt === null) return null;
  if (now - workload.lastMovedAt < restSeconds(workload, config, now)) return "workload-cooling-down";
  return movesSince(workload, now - DAY_SECONDS) >= config.fairness.movesPerDay ? "workload-moved-too-often" : null;
}

export function movesSince(workload: WorkloadState, since: number): number {
  if (workload.recentMoves) return workload.recentMoves.filter((at) => at > since).length;
  return workload.lastMovedAt !== null && workload.lastMovedAt > since ? 1 : 0;
}
