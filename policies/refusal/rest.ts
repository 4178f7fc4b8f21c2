import type { CompleteConfig } from "../config.js";
import type { MoveRefusal, WorkloadState } from "../types.js";

/** A node that must be emptied is worth asking again sooner, and so is what passes by itself: at first so soon, and half as often after each time more. */
const SOONER_SECONDS = 60;

/** How long a move rests after it was refused or failed. */
export function restAfter({ passes, times = 1 }: MoveRefusal, { refusalRestSeconds }: CompleteConfig, isForced: boolean): number {
  return passes || isForced ? Math.min(SOONER_SECONDS * 2 ** (times - 1), refusalRestSeconds) : refusalRestSeconds;
}

/** The refusal that still counts against a destination, or with null against all of them; null = none does. */
export function refusalBy(
  to: string | null,
  { refusals = [] }: WorkloadState,
  config: CompleteConfig,
  now: number,
  isForced: boolean,
): MoveRefusal | null {
  return refusals.find((each) => each.to === to && now - each.at < restAfter(each, config, isForced)) ?? null;
}
