import { applyPlan } from "../apply-plan.js";
import type { PolicyConfig } from "../config.js";
import { decide } from "../decide.js";
import type { Move, Plan, Snapshot } from "../types.js";

export interface Foresight {
  /** Every move until nothing is left to do, in order. */
  readonly moves: readonly Move[];
  /** The plan in the end: its skips are what stays undone, and why. */
  readonly last: Plan;
  readonly end: Snapshot;
  /** False: it did not come to rest within the rounds that were looked at. */
  readonly isAtRest: boolean;
}

const ROUNDS = 50;
/** Longer than any settling, so that each round sees the nodes as measured. */
const ROUND_SECONDS = 3600;

/**
 * Plays a fleet forward with the same code that decides, as if every move succeeded and the load stayed as it is. Limits
 * on how much moves at once, or how often, only delay: they are left out.
 */
export function foresee(snapshot: Snapshot, config: PolicyConfig, now: number): Foresight {
  const patient: PolicyConfig = {
    ...config,
    cooldownSeconds: 0,
    movesPerHour: null,
    concurrency: { perNode: Number.MAX_SAFE_INTEGER, fleet: Number.MAX_SAFE_INTEGER },
  };
  const moves: Move[] = [];
  let state: Snapshot = { ...snapshot, windows: [] };
  let last = decide(state, patient, now);
  for (let round = 1; last.moves.length > 0 && round < ROUNDS; round++) {
    moves.push(...last.moves);
    state = wait(applyPlan(state, last), now + round * ROUND_SECONDS);
    last = decide(state, patient, now + round * ROUND_SECONDS);
  }
  return { moves, last, end: state, isAtRest: last.moves.length === 0 };
}

/** Time passes and nothing changes: each node's last reading has stood for the whole of its history. */
function wait(snapshot: Snapshot, at: number): Snapshot {
  const nodes = snapshot.nodes.map((node) => {
    const last = node.history.at(-1);
    if (last === undefined) return node;
    const shift = at - last.at;
    return { ...node, history: node.history.map((point) => ({ ...last, at: point.at + shift })) };
  });
  return { ...snapshot, at, nodes };
}
