import { addMove, type JudgedContext, settleSeconds } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import type { NodeView } from "../fleet.js";
import { enterMove } from "../ledger.js";
import { compareIds } from "../order.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { cpuCeiling, memoryCeiling, whyNotThere } from "../stages/feasible.js";
import { whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import type { Wish } from "../stages/place-elsewhere.js";
import { burdenedRatio, capacityOf } from "../stages/score.js";
import type { Skip } from "../types.js";

/** Where others' departures may leave enough room for a workload that must go and fits nowhere. */
const FULL = new Set<string | null>(["target-cpu-full", "target-memory-full"]);
/** Readings follow a departure only slowly: so many times settling passes before room is made on the same node again. */
const PATIENCE = 4;
/** Pairs of node and workload that are tried for one workload. */
const MOST_TRIED = 200;

interface Way {
  readonly gate: NodeView;
  readonly guest: Candidate;
}

/**
 * For a workload that no node has room for: one other workload moves on to a third node, so that there is room later. Nothing is
 * given away before it is free: the workload itself waits until the readings show the room. Null: there is no such way.
 */
export function makeRoom(candidate: Candidate, wish: Wish, context: JudgedContext): Skip | null {
  // A group needs room for all of it at once; one departure is seldom enough, and which ones would be is a search of its own.
  if (candidate.workload.constraints.affinityGroup) return null;
  const gates = context.fleet.nodes.filter(
    (node) => node !== candidate.source && FULL.has(whyNotThere(candidate.workload, candidate.need, node, context, true)),
  );
  const expected = gates.find((gate) => isRoomComing(candidate, gate, context));
  if (expected) return waitFor(candidate, expected, "what leaves it, or has just left, is still counted there");
  for (const { gate, guest } of findWays(candidate, gates, context).slice(0, MOST_TRIED)) {
    if (whyNotStart(context, guest.workload, wish.reason) !== null) continue;
    const target = findPlaceFor(guest, candidate.source, wish, context);
    if (target === null) continue;
    enterMove(context.ledger, guest.workload, guest.need, target);
    const because = `${wish.why}; this makes room on ${gate.id} for ${candidate.workload.name}, which fits nowhere else.`;
    const cost = estimateMoveCost(guest.workload, guest.need, gate, target, context.config.cost);
    addMove(context, { workload: guest.workload.id, from: gate.id, to: target.id, reason: wish.reason, because, cost });
    return waitFor(candidate, gate, `${guest.workload.name} moves on to ${target.id} first`);
  }
  return null;
}

/** Each workload of a full node whose going would be enough, the lightest to carry first. */
function findWays(candidate: Candidate, gates: readonly NodeView[], context: JudgedContext): Way[] {
  const { fleet, config, now } = context;
  const ways: Way[] = [];
  for (const gate of gates) {
    if (context.verdicts.get(gate.id)!.verdict !== "level" || whyNotLevelTo(gate, context) !== null) continue;
    for (const guest of levelCandidates(gate, fleet, config, now)) {
      if ("reason" in guest || context.spoken.has(guest.workload.id) || guest.workload.constraints.affinityGroup) continue;
      if (fitsWithout(candidate, gate, guest.need.cpuCores, guest.need.memoryBytes, context)) ways.push({ gate, guest });
    }
  }
  return ways.sort((a, b) => a.guest.need.memoryBytes - b.guest.need.memoryBytes || compareIds(a.guest.workload.id, b.guest.workload.id));
}

function fitsWithout(
  candidate: Candidate,
  gate: NodeView,
  cpuCores: number,
  memoryBytes: number,
  { ledger, config }: JudgedContext,
): boolean {
  const cpu = burdenedRatio("cpu", gate, ledger) + (candidate.need.cpuCores - cpuCores) / capacityOf("cpu", gate);
  const memory = burdenedRatio("memory", gate, ledger) + (candidate.need.memoryBytes - memoryBytes) / capacityOf("memory", gate);
  return cpu <= cpuCeiling(config) && memory <= memoryCeiling(config);
}

/** Somebody is leaving already, or has left so lately that the readings may still count it. */
function isRoomComing(candidate: Candidate, gate: NodeView, context: JudgedContext): boolean {
  const account = context.ledger.accounts.get(gate.id)!;
  let cpuCores = account.leavingCpuCores;
  let memoryBytes = account.leavingMemoryBytes;
  for (const { lastMovedAt, cpuUsedCores, memoryUsedBytes } of gate.departed) {
    if (context.now - (lastMovedAt ?? 0) >= PATIENCE * settleSeconds(context.config)) continue;
    cpuCores += cpuUsedCores ?? 0;
    memoryBytes += memoryUsedBytes ?? 0;
  }
  return (cpuCores > 0 || memoryBytes > 0) && fitsWithout(candidate, gate, cpuCores, memoryBytes, context);
}

function findPlaceFor(guest: Candidate, drained: NodeView, wish: Wish, context: JudgedContext): NodeView | null {
  for (const target of context.fleet.nodes) {
    if (target === guest.source || target === drained) continue;
    const refusal =
      whyNotThere(guest.workload, guest.need, target, context) ??
      whyNotLevelTo(target, context) ??
      whyNotArrive(context, target.id, wish.reason);
    if (refusal === null) return target;
  }
  return null;
}

function waitFor({ workload }: Candidate, gate: NodeView, why: string): Skip {
  const because = `Room is being made for it on ${gate.id}: ${why}.`;
  return { workload: workload.id, from: workload.node, to: gate.id, reason: "room-being-made", because };
}
