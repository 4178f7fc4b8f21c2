import { CLOCK_SKEW_SECONDS } from "../clock-skew.js";
import { DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../config.js";
import { openContext, type PlanContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import { type NodeView, whyAnyOf } from "../fleet.js";
import { sayCompany } from "../say-company.js";
import { refuse, refuseAll } from "../sentences.js";
import { leaveCandidates } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { isBeyondBudget, whyResting } from "../stages/gates.js";
import { addRefusal, openRefusals } from "../stages/refusals.js";
import type { Maintenance, Skip, SkipReason, Snapshot, WorkloadState } from "../types.js";

export interface DrainStatus {
  readonly node: string;
  /** True only when the node is heard, a reading from after the drain was asked for shows nothing on it, and no migration touches it. */
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
  const block = (skip: Skip) => blocked.push(sayCompany(skip, context));
  let seconds = 0;
  for (const entry of node ? leaveCandidates(node, fleet) : []) {
    if ("reason" in entry) {
      if (fleet.migrating.has(entry.workload.id)) moving.push(entry.workload.id);
      // It waits for one that moves as one with it.
      else if (entry.reason === "workload-migrating") movable.push(entry.workload.id);
      else block(refuse(entry.workload, entry.reason, context.config, snapshot.at));
      continue;
    }
    const standing = whyNotForLong(entry.workload, context);
    if (standing !== null) {
      block(refuse(entry.workload, standing, context.config, snapshot.at));
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
    } else block(refuseAll(entry.workload, refusals, config));
  }
  const remaining = node?.workloads.map((workload) => workload.id) ?? [];
  const touched = fleet.migrations.some((migration) => migration.from === nodeId || migration.to === nodeId);
  const isEmpty = node !== undefined && node.load !== null && remaining.length === 0 && !touched;
  const done = isEmpty && provesEmpty(node.state.history.at(-1)?.at, node.state.maintenance);
  return { node: nodeId, done, remaining, moving, movable, blocked, movableSeconds: seconds / context.limits.perNode };
}

/**
 * Whether a reading that shows nothing proves a node under maintenance empty: an older one lacks what was started between it and the wish. In
 * service there is no such wish, and none to prove.
 */
export function provesEmpty(readAt: number | undefined, maintenance: Maintenance | null): boolean {
  return maintenance === null || (readAt !== undefined && readAt >= (maintenance.askedAt ?? maintenance.since) + CLOCK_SKEW_SECONDS);
}

/** What holds it until someone does something, wherever to: unlike a gate it is not over with the move that is under way. */
function whyNotForLong(workload: WorkloadState, { fleet, config, now }: PlanContext): SkipReason | null {
  if (isBeyondBudget(workload, fleet)) return "disruption-budget";
  return whyAnyOf(workload, fleet, (member) => whyResting(member, config, now, true));
}
