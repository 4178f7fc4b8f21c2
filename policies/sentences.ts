import type { CompleteConfig, PolicyConfig } from "./config.js";
import { DAY_SECONDS, movesSince, restSeconds } from "./fairness/rest.js";
import type { NodeView } from "./fleet.js";
import { needOf, type Use } from "./need.js";
import { missingNetworks } from "./placement/rules.js";
import { cpuCeiling, memoryCeiling } from "./stages/feasible.js";
import { MOMENTARY } from "./stages/gates.js";
import type { Refusals } from "./stages/refusals.js";
import type { MoveCost, NodeState, Skip, SkipReason, WorkloadState } from "./types.js";
import { bytes, cores, percent, plural } from "./words.js";

const NOTHING: Use = { cpuCores: 0, memoryBytes: 0 };

/** A refusal that has nothing to do with any one destination. */
export function refuse(workload: WorkloadState, reason: SkipReason, config: CompleteConfig, now: number): Skip {
  return {
    workload: workload.id,
    from: workload.node,
    to: null,
    reason,
    because: sayRefusal(workload, reason, config, now),
  };
}

function sayRefusal(workload: WorkloadState, reason: SkipReason, config: CompleteConfig, now: number): string {
  switch (reason) {
    case "workload-never":
      return "Its label io.evenkeel.mode forbids moves, or names a mode that does not exist.";
    case "workload-bound":
      return `It is bound to ${workload.node} by what it mounts (${sayBonds(workload)}).`;
    case "workload-migrating":
      return "It is being moved already.";
    case "workload-refused":
      return `Its last move came to nothing ${sayObstacle(null, workload)}; it rests before it is asked for again.`;
    case "source-unknown":
      return `${workload.node} is silent or its readings failed: nothing is decided on stale data.`;
    case "executor-silent":
      return `${saySilent(workload.node)}: nobody there could move it.`;
    case "workload-unknown-usage":
      return "Its use is not known and no limit says how much to reserve for it.";
    case "workload-cooling-down": {
      const rested = workload.lastMovedAt === null ? 0 : now - workload.lastMovedAt;
      return `It was moved ${Math.round(rested)} s ago and rests for ${Math.round(restSeconds(workload, config, now))} s.`;
    }
    case "workload-moved-too-often":
      return `It was moved ${plural(movesSince(workload, now - DAY_SECONDS), "time")} in 24 hours; ${config.fairness.movesPerDay} are allowed.`;
    case "source-cordoned":
      return `${workload.node} is cordoned: it keeps what it has for as long as it is not overloaded and need not be emptied.`;
    case "fleet-busy":
      return `The fleet's limit of ${plural(config.concurrency.fleet, "migration")} at once is reached, or lowered after long blackouts.`;
    case "source-busy":
      return `${workload.node} has reached its limit of ${plural(config.concurrency.perNode, "migration")} at once.`;
    case "disruption-budget":
      return `As many workloads of ${workload.constraints.disruptionBudget?.group} as its disruption budget allows are under way.`;
    case "move-window":
      return `A window over ${workload.node} or the fleet is open in which nothing is moved for levelling.`;
    case "budget-spent":
      return `This hour's budget of ${plural(config.movesPerHour ?? 0, "move")} is spent.`;
    case "not-needed":
      return `${workload.node} is relieved without moving it.`;
    default:
      return "There is no other node.";
  }
}

/** Those that are there; all of its own where it is one on its way there. */
function sayVolumes({ volumes = [] }: WorkloadState, target: NodeView): string {
  const there = volumes.filter((name) => target.workloads.some((other) => other.volumes?.includes(name)));
  return (there.length > 0 ? there : volumes).join(", ");
}

function sayBonds({ boundBy = [] }: WorkloadState): string {
  return boundBy.map(({ code, because }) => `${code}: ${because}`).join("; ");
}

/** What was in the way of a move there, or with null of any. */
function sayObstacle(to: string | null, { refusals = [] }: WorkloadState): string {
  const refusal = refusals.find((each) => each.to === to);
  return refusal === undefined ? "for a reason that was not kept" : `(${refusal.code}: ${refusal.because})`;
}

/** A refusal by one destination. */
export function refuseTarget(workload: WorkloadState, target: NodeView, reason: SkipReason, config: PolicyConfig): Skip {
  return { workload: workload.id, from: workload.node, to: target.id, reason, because: sayTarget(workload, target, reason, config) };
}

function sayTarget(workload: WorkloadState, target: NodeView, reason: SkipReason, config: PolicyConfig): string {
  const { constraints } = workload;
  switch (reason) {
    case "workload-pinned":
      return `It is pinned to ${constraints.pinnedTo.join(", ")}; ${target.id} is not among them.`;
    case "target-unknown":
      return `${target.id} is silent or its readings failed.`;
    case "executor-silent":
      return `${saySilent(target.id)}: nobody there could take it.`;
    case "not-home":
      return `It is to come home, and ${target.id} is not where it was.`;
    case "target-asleep":
      return `${target.id} sleeps to save power, is about to, or is waking: it is waited for.`;
    case "target-maintenance":
      return `${target.id} is under maintenance.`;
    case "target-cordoned":
      return `${target.id} is cordoned${sayCordon(target.state)}.`;
    case "target-suspect":
      return `${target.id} shows signs of failing.`;
    case "target-avoided":
      return `${target.id} is left alone by another policy, unless it must take something.`;
    case "target-incompatible":
      return `${target.id} has another architecture (${target.state.architecture}).`;
    case "target-cpu-differs":
      return `The CPU of ${target.id} cannot go on with what runs on that of ${workload.node}, by CRIU's own check.`;
    case "target-without-network":
      return `${target.id} has no network ${missingNetworks(workload, target.state).join(", ")}, which it is attached to.`;
    case "target-has-name":
      return target.state.endedNames?.includes(workload.name)
        ? `${target.id} has a container named ${workload.name} that does not run: rename or remove that one.`
        : `${target.id} has, or is about to have, another workload's container named ${workload.name}.`;
    case "target-has-volume":
      return `${target.id} has, or is about to have, a volume of the same name (${sayVolumes(workload, target)}), which is another workload's.`;
    case "target-refused":
      return `Its last move to ${target.id} came to nothing ${sayObstacle(target.id, workload)}; it rests before it is asked for again.`;
    case "anti-affinity":
      return `${target.id} holds, or is about to hold, another workload of group ${constraints.antiAffinityGroup}.`;
    case "affinity":
      return `It is kept on one node with the others of group ${constraints.affinityGroup}, and they are not going to ${target.id}.`;
    case "zone-spread":
      if (target.isZoneUnseen)
        return `What all nodes of zone ${target.zone} run is not known: it may have as many of ${constraints.zoneSpreadGroup} as others, or more.`;
      return `Another zone than ${target.zone} has fewer workloads of group ${constraints.zoneSpreadGroup}.`;
    case "target-cpu-full":
    case "target-memory-full":
      return sayFull(needOf(workload) ?? NOTHING, target, reason, config);
    case "target-busy":
      return `${target.id} has reached its limit of ${plural(config.concurrency.perNode, "migration")} at once.`;
    case "target-settling":
      return `A workload has just moved to ${target.id} or away: its readings are still settling.`;
    case "move-window":
      return `A window over ${target.id} is open in which nothing is moved for levelling.`;
    case "cost-too-high":
      return `Moving it to ${target.id} would cost more in blackout and transfer than it would relieve.`;
    default:
      return `Moving it to ${target.id} would gain too little: less than the least share of their imbalance and of the excess.`;
  }
}

export function sayFull(need: Use, target: NodeView, reason: "target-cpu-full" | "target-memory-full", config: PolicyConfig): string {
  if (reason === "target-cpu-full") {
    return `${target.id} has no room for ${cores(need.cpuCores)} below ${percent(cpuCeiling(config))} of its CPU.`;
  }
  return `${target.id} has no room for ${bytes(need.memoryBytes)} below ${percent(memoryCeiling(config))} of its memory, or for twice that while it moves.`;
}

function saySilent(node: string): string {
  return `The executor of ${node} has not been heard, or not for a while`;
}

/** What was said with the cordon, in brackets; nothing when nothing was. */
export function sayCordon({ cordonedBecause }: Pick<NodeState, "cordonedBecause">): string {
  return cordonedBecause === undefined ? "" : ` (${cordonedBecause})`;
}

/** Of a workload that is worth moving to no target at all. `share`: of what its node has too much, which its going would take away. */
export function refuseEverywhere(
  { id, node }: WorkloadState,
  reason: "gain-too-small" | "cost-too-high",
  { blackoutSeconds, seconds }: MoveCost,
  share: number,
): Skip {
  const price = `${blackoutSeconds.toFixed(1)} s of blackout and ${seconds.toFixed(1)} s of transfer at least`;
  const because = `Wherever it went, it would take away ${percent(share)} of the overload of ${node}, which is not worth the move (${price}).`;
  return { workload: id, from: node, to: null, reason, because };
}

/** Sums up why none of the targets will do: their common reason, the commonest if all pass in a moment, else `no-target`; with the count of each. */
export function refuseAll(workload: WorkloadState, { count, byReason }: Refusals, config: PolicyConfig): Skip {
  const reasons = [...byReason].sort(([, a], [, b]) => b.count - a.count);
  const [first] = reasons;
  if (!first) return { workload: workload.id, from: workload.node, to: null, reason: "no-target", because: "There is no other node." };
  if (count === 1) return refuseTarget(workload, first[1].some[0]!, first[0], config);
  const counts = reasons.map(([reason, nodes]) => `${reason} (${nameSome(nodes)})`).join(", ");
  return {
    workload: workload.id,
    from: workload.node,
    to: null,
    reason: reasons.length === 1 || reasons.every(([reason]) => MOMENTARY.has(reason)) ? first[0] : "no-target",
    because: `None of ${plural(count, "other node")} will do: ${counts}.`,
  };
}

function nameSome({ count, some }: { readonly count: number; readonly some: readonly NodeView[] }): string {
  const shown = some.map(({ id }) => id).join(", ");
  return count > some.length ? `${shown} and ${count - some.length} more` : shown;
}
