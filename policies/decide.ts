import { applyMoves } from "./apply-plan.js";
import type { PolicyConfig } from "./config.js";
import type { PlanContext } from "./context.js";
import { indexFleet } from "./fleet.js";
import { imbalance } from "./imbalance.js";
import { openLedger } from "./ledger.js";
import { drainNodes } from "./maintenance/drain.js";
import { relieveOverload } from "./overload/relieve.js";
import { judgeNodes } from "./stages/verdicts.js";
import type { Plan, Snapshot } from "./types.js";

/**
 * Everything Evenkeel wants, from everything it knows: no clock, no I/O, no chance, and the order of the input does not
 * matter. `now` is epoch seconds. Overload goes before drains: it hurts at this moment.
 */
export function decide(snapshot: Snapshot, config: PolicyConfig, now: number): Plan {
  const fleet = indexFleet(snapshot);
  const verdicts = judgeNodes(fleet, config, now);
  const context: PlanContext = { fleet, config, now, ledger: openLedger(fleet), verdicts, moves: [], skips: [] };
  if (config.overload.enabled) relieveOverload(context);
  if (config.maintenance.enabled) drainNodes(context);
  return {
    at: now,
    verdicts: [...verdicts.values()].map(({ node, verdict, because }) => ({ node, verdict, because })),
    moves: context.moves,
    skips: context.skips,
    imbalanceBefore: imbalance(snapshot),
    imbalanceAfter: imbalance(applyMoves(snapshot, context.moves, now)),
  };
}
