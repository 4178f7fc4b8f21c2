import { applyMoves } from "./apply-plan.js";
import { balance } from "./balance/policy.js";
import type { PolicyConfig } from "./config.js";
import { consolidate } from "./consolidate/policy.js";
import { openContext } from "./context.js";
import { example } from "./example/policy.js";
import { health } from "./health/policy.js";
import { homecoming } from "./homecoming/policy.js";
import { imbalance } from "./imbalance.js";
import { maintenance } from "./maintenance/policy.js";
import { overload } from "./overload/policy.js";
import { placement } from "./placement/policy.js";
import type { Policy } from "./policy.js";
import { sayLosses } from "./say-losses.js";
import { sayModes } from "./say-modes.js";
import { judgeNodes } from "./stages/verdicts.js";
import type { Plan, Snapshot } from "./types.js";

/** In order of precedence: what hurts most comes first to the limits on moves, and to the word on a node. */
const POLICIES: readonly Policy[] = [maintenance, health, overload, placement, balance, example];
/** A failing node is emptied before anything else, and an overloaded one is relieved before a drain takes its turn. What may sleep is seen last. */
const PLANNING: readonly Policy[] = [health, overload, maintenance, homecoming, placement, balance, example, consolidate];
/** What operators ask for, and is made in every mode. */
const ASKED: readonly Policy[] = [maintenance, homecoming];
/** While the rest is only shown, it must not take turn or room from these: it may be shown for ever. */
const ASKED_FIRST: readonly Policy[] = [...ASKED, ...PLANNING.filter((policy) => !ASKED.includes(policy))];

/**
 * Everything Evenkeel wants, from everything it knows: no clock, no I/O, no chance, and the order of the input does not
 * matter. `now` is epoch seconds.
 */
export function decide(snapshot: Snapshot, config: PolicyConfig, now: number): Plan {
  const context = openContext(snapshot, config, now);
  const isEnabled = (policy: Policy) => policy.isEnabled(context.config);
  const judging = POLICIES.filter(isEnabled);
  const verdicts = judgeNodes(judging, context);
  const avoided = new Set(
    context.fleet.nodes.filter((node) => judging.some((policy) => policy.avoids?.(node, context))).map(({ id }) => id),
  );
  const planning = snapshot.onlyAsked ? ASKED_FIRST : PLANNING;
  const judged = { ...context, verdicts, avoided };
  for (const policy of planning.filter(isEnabled)) policy.plan?.(judged);
  return {
    at: now,
    verdicts: [...verdicts.values()].map(({ node, verdict, because }) => ({ node, verdict, because })),
    moves: sayModes(sayLosses(context.moves, snapshot), context),
    skips: context.skips,
    power: context.power,
    imbalanceBefore: imbalance(snapshot),
    imbalanceAfter: imbalance(applyMoves(snapshot, context.moves, now)),
  };
}
