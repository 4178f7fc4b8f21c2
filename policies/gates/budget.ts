import { movesSince } from "../fairness/rest.js";
import type { Fleet } from "../fleet.js";

const HOUR_SECONDS = 3600;

/** How many more moves for levelling this hour's budget allows. All moves of the hour are counted against it, whatever their reason. */
export function budgetLeft(fleet: Fleet, movesPerHour: number | null, now: number): number {
  if (movesPerHour === null) return Number.POSITIVE_INFINITY;
  let made = fleet.migrations.length;
  for (const workload of fleet.workloadById.values()) made += movesSince(workload, now - HOUR_SECONDS);
  return movesPerHour - made;
}
