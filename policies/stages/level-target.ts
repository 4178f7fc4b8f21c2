import { isSettling, type JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import type { SkipReason } from "../types.js";

/** Whether a node may take anything for the sake of levelling. Null: it may. */
export function whyNotLevelTo(target: NodeView, { config, now, verdicts, avoided }: JudgedContext): SkipReason | null {
  if (target.load === null) return "target-unknown";
  if (target.state.maintenance !== null) return "target-maintenance";
  if (avoided.has(target.id)) return "target-avoided";
  const { verdict, hot } = verdicts.get(target.id)!;
  if (verdict === "overloaded") return hot[0] === "memory" ? "target-memory-full" : "target-cpu-full";
  return isSettling(target, config, now) ? "target-settling" : null;
}
