import type { PolicyConfig } from "../policies/config.js";
import { imbalance } from "../policies/imbalance.js";
import type { Move, PowerChange, Skip, Snapshot, Verdict } from "../policies/types.js";
import { foresee } from "../policies/what-if/foresee.js";
import { type Change, imagine } from "../policies/what-if/imagine.js";

/** What would become of the fleet: every move until nothing is left to do, and what stays undone and why. */
export interface Foresight {
  readonly moves: readonly Move[];
  /** Nodes that sleep and would be woken for it, in order. */
  readonly woken: readonly PowerChange[];
  readonly skips: readonly Skip[];
  readonly verdicts: readonly Verdict[];
  readonly imbalanceBefore: number | null;
  readonly imbalanceAfter: number | null;
  /** False: it did not come to rest within the rounds that were looked at. */
  readonly isAtRest: boolean;
}

export function foreseeChange(snapshot: Snapshot, config: PolicyConfig, change: Change): Foresight {
  const imagined = imagine(snapshot, change);
  const { moves, woken, last, end, isAtRest } = foresee(imagined, config, snapshot.at);
  return {
    moves,
    woken,
    skips: last.skips,
    verdicts: last.verdicts,
    imbalanceBefore: imbalance(imagined),
    imbalanceAfter: imbalance(end),
    isAtRest,
  };
}
