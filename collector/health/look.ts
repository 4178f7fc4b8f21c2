import type { Probe } from "../probe.js";

/** What one look for one kind of sign has found. */
export interface Look {
  /** Each sign in words for a person; none = nothing was found where it was looked. */
  readonly signs: readonly string[];
  /** Why it could not be looked; null = it could. What was not looked at is unknown, and never well. */
  readonly unread: string | null;
}

/** Looks once. `seconds`: on a clock that never steps back. One that compares with earlier looks keeps them itself. */
export type Looker = (probe: Probe, seconds: number) => Promise<Look>;

export const found = (signs: readonly string[]): Look => ({ signs, unread: null });
export const couldNotLook = (unread: string): Look => ({ signs: [], unread });
