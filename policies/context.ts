import type { PolicyConfig } from "./config.js";
import type { Fleet, NodeView } from "./fleet.js";
import type { Ledger } from "./ledger.js";
import type { Move, Skip, Verdict } from "./types.js";

/** What the stages share while one plan is made. Only the ledger and the two lists grow. */
export interface PlanContext {
  readonly fleet: Fleet;
  readonly config: PolicyConfig;
  readonly now: number;
  readonly ledger: Ledger;
  readonly verdicts: ReadonlyMap<string, Judgement>;
  readonly moves: Move[];
  readonly skips: Skip[];
}

export type Resource = "cpu" | "memory";

export interface Judgement extends Verdict {
  /** What the node has too much of; empty unless overloaded. */
  readonly hot: readonly Resource[];
}

/** Readings may mix before and after a move for this long. */
export function settleSeconds(config: PolicyConfig): number {
  return config.overload.settleSeconds ?? Math.min(config.overload.holdSeconds, 30);
}

export function isSettling(node: NodeView, config: PolicyConfig, now: number): boolean {
  return node.changedAt !== null && now - node.changedAt < settleSeconds(config);
}
