import type { PlanContext } from "../context.js";
import type { SkipReason } from "../types.js";

/** Whether the source may begin another move now. Open migrations and those already planned count. */
export function whyNotStart(context: PlanContext, source: string): SkipReason | null {
  const { ledger, config } = context;
  if (ledger.movesUnderWay >= config.concurrency.fleet) return "fleet-busy";
  return isNodeBusy(context, source) ? "source-busy" : null;
}

export function isNodeBusy({ ledger, config }: PlanContext, node: string): boolean {
  return (ledger.accounts.get(node)?.moves ?? 0) >= config.concurrency.perNode;
}
