import type { JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { compareIds } from "../order.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { LATER, whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import type { MoveReason } from "../types.js";

export interface Guests {
  /** Those of a node that may be asked to move on, the lightest to carry first. Some may have been spoken of since. */
  of(node: NodeView): readonly Candidate[];
}

/** Workloads that may make room for others: known, rested, and of no group. */
export function listGuests(reason: MoveReason, context: JudgedContext): Guests {
  const lists = new Map<NodeView, readonly Candidate[]>();
  const list = (node: NodeView): readonly Candidate[] => {
    const verdict = context.verdicts.get(node.id)!.verdict;
    const closed = whyNotLevelTo(node, context);
    if (verdict !== "level" || (closed !== null && closed !== "target-settling")) return [];
    return levelCandidates(node, context.fleet, context.config, context.now)
      .filter((entry): entry is Candidate => {
        if ("reason" in entry || entry.workload.constraints.affinityGroup) return false;
        return LATER.has(whyNotStart(context, entry.workload, reason));
      })
      .sort((a, b) => a.need.memoryBytes - b.need.memoryBytes || compareIds(a.workload.id, b.workload.id));
  };
  return {
    of: (node) => {
      const known = lists.get(node);
      if (known !== undefined) return known;
      const fresh = list(node);
      lists.set(node, fresh);
      return fresh;
    },
  };
}

/** Where a guest may go: if there is one, a node to which it may go now, else one that it has to wait for. */
export function findPlace(
  { workload, need, source }: Candidate,
  closed: ReadonlySet<NodeView>,
  reason: MoveReason,
  context: JudgedContext,
): NodeView | null {
  let later: NodeView | null = null;
  for (const target of context.fleet.nodes) {
    if (target === source || closed.has(target)) continue;
    if (whyNotThere(workload, need, target, context) !== null) continue;
    if (mayArriveNow(target, reason, context)) return target;
    const refusal = whyNotLevelTo(target, context);
    if (refusal === null || refusal === "target-settling") later ??= target;
  }
  return later;
}

export function mayArriveNow(target: NodeView, reason: MoveReason, context: JudgedContext): boolean {
  return whyNotLevelTo(target, context) === null && whyNotArrive(context, target.id, reason) === null;
}
