import { DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../config.js";
import { openContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import type { NodeView } from "../fleet.js";
import { refusalBy } from "../refusal/rest.js";
import { refuse, refuseAll } from "../sentences.js";
import { leaveCandidates } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { addRefusal, openRefusals } from "../stages/refusals.js";
import type { Skip, Snapshot } from "../types.js";

export interface DrainStatus {
  readonly node: string;
  /** True only when the node is heard, nothing runs on it, and no migration touches it. */
  readonly done: boolean;
  /** Ids of all workloads still on the node, whatever becomes of them. */
  readonly remaining: readonly string[];
  /** Of these: those that are being moved now … */
  readonly moving: readonly string[];
  /** … those that some node could take … */
  readonly movable: readonly string[];
  /** … and those that stay unless someone does something, each with the reason. */
  readonly blocked: readonly Skip[];
  /** How long the movable ones are expected to take, as many at once as may. */
  readonly movableSeconds: number;
}

/** How far a node is from empty, by the hard constraints alone: gates and limits only delay. A node that is not there is never done. */
export function drainStatus(snapshot: Snapshot, nodeId: string, config: PolicyConfig = DEFAULT_POLICY_CONFIG): DrainStatus {
  const context = openContext(snapshot, config, snapshot.at);
  const { fleet } = context;
  const node = fleet.nodeById.get(nodeId);
  const moving: string[] = [];
  const movable: string[] = [];
  const blocked: Skip[] = [];
  let seconds = 0;
  for (const entry of node ? leaveCandidates(node, fleet) : []) {
    if ("reason" in entry) {
      if (entry.reason === "workload-migrating") moving.push(entry.workload.id);
      else blocked.push(refuse(entry.workload, entry.reason, context.config, snapshot.at));
      continue;
    }
    if (refusalBy(null, entry.workload, context.config, snapshot.at, true) !== null) {
      blocked.push(refuse(entry.workload, "workload-refused", context.config, snapshot.at));
      continue;
    }
    const refusals = openRefusals();
    let taker: NodeView | null = null;
    for (const target of fleet.nodes) {
      if (target === node) continue;
      const reason = whyNotThere(entry.workload, entry.need, target, context, true);
      if (reason !== null) addRefusal(refusals, target, reason);
      else taker ??= target;
    }
    if (taker !== null) {
      movable.push(entry.workload.id);
      seconds += estimateMoveCost(entry.workload, entry.need, entry.source, taker, context.config.cost).seconds;
    } else blocked.push(refuseAll(entry.workload, refusals, config));
  }
  const remaining = node?.workloads.map((workload) => workload.id) ?? [];
  const touched = fleet.migrations.some((migration) => migration.from === nodeId || migration.to === nodeId);
  const done = node !== undefined && node.load !== null && remaining.length === 0 && !touched;
  return { node: nodeId, done, remaining, moving, movable, blocked, movableSeconds: seconds / context.limits.perNode };
}
