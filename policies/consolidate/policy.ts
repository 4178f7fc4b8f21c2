import { isSettling, type JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { compareIds } from "../order.js";
import type { Policy } from "../policy.js";
import type { Snapshot } from "../types.js";
import { findUnbearableLoss } from "./bear-loss.js";
import { emptyNodes } from "./empty-nodes.js";
import { parseWatts, WATTS_LABEL } from "./from-snapshot.js";
import { awakeNodes, whyExpectedTooMuch, whyMoreNeeded } from "./need-more.js";

/** Each try weighs the whole fleet. */
const MOST_TRIED = 4;

/** Only nodes with this label set to `true` are ever put to sleep. */
export const MAY_SLEEP_LABEL = "io.evenkeel.may-sleep";

/** Runs the fleet on few nodes while that is enough: empties some, puts them to sleep, and wakes them before they are needed. */
export const consolidate: Policy = {
  name: "consolidate",
  // What was put to sleep is woken when power saving is switched off.
  isEnabled: () => true,
  plan: planPower,
};

/** Whether nodes may be put to sleep now: a window is open and does not end soon, or there is none. Balance rests meanwhile. */
export function isSavingPower(snapshot: Snapshot, { enabled, leadSeconds }: JudgedContext["config"]["consolidate"], now: number): boolean {
  const window = snapshot.powerSaving ?? null;
  return enabled && (window === null || (window.active && (window.endsAt ?? Number.POSITIVE_INFINITY) - leadSeconds > now));
}

function planPower(context: JudgedContext): void {
  const { fleet, config, now } = context;
  const asleep = fleet.nodes
    .filter(({ state }) => state.power === "asleep")
    .sort((a, b) => idleWatts(a) - idleWatts(b) || compareIds(a.id, b.id));
  const wake = (node: NodeView, why: string) => context.power.push({ node: node.id, to: "wake", because: `Wakes ${node.id}: ${why}.` });
  if (!isSavingPower(fleet.snapshot, config.consolidate, now)) {
    for (const node of asleep) wake(node, config.consolidate.enabled ? "the time of power saving ends" : "power saving is switched off");
    return;
  }
  const flagged = asleep.filter(({ state }) => state.maintenance !== null);
  for (const node of flagged) wake(node, "it is under maintenance, and nobody can work on it asleep");
  const awake = awakeNodes(context);
  // One at a time, and one that is on its way is waited for: it may be enough.
  const isWaking = flagged.length > 0 || fleet.nodes.some(({ state }) => state.power === "waking");
  const need = whyMoreNeeded(awake, context);
  if (need !== null) {
    if (!isWaking && asleep[0]) wake(asleep[0], need);
    return;
  }
  if (isWaking || !isAtRest(context)) return;
  sleepOne(awake, context);
  emptyNodes((node) => maySleep(node, context), awake, context);
}

/** Nothing under way, planned or settling: power saving is never in a hurry. */
function isAtRest({ fleet, config, now, moves }: JudgedContext): boolean {
  return moves.length === 0 && fleet.migrations.length === 0 && !fleet.nodes.some((node) => isSettling(node, config, now));
}

function maySleep({ id, state }: NodeView, { verdicts, config, now }: JudgedContext): boolean {
  if (state.labels[MAY_SLEEP_LABEL] !== "true" || verdicts.get(id)!.verdict !== "level") return false;
  return state.wokenAt == null || now - state.wokenAt >= config.consolidate.awakeSeconds;
}

/** The empty node that draws most, if the rest are enough without it, and with some load more than now. */
function sleepOne(awake: readonly NodeView[], context: JudgedContext): void {
  const { fleet, config } = context;
  const isEmpty = (node: NodeView) => node.workloads.length === 0 && context.ledger.accounts.get(node.id)!.moves === 0;
  const empty = awake
    .filter((node) => isEmpty(node) && maySleep(node, context))
    .sort((a, b) => idleWatts(b) - idleWatts(a) || compareIds(a.id, b.id));
  for (const node of empty.slice(0, MOST_TRIED)) {
    const rest = awake.filter((other) => other !== node);
    const standing = { fleet, config, awake: rest, placed: new Map<string, string>(), growth: config.consolidate.marginRatio };
    if (rest.length === 0 || findUnbearableLoss(standing) !== null || whyExpectedTooMuch(rest, context) !== null) continue;
    const because = `Puts ${node.id} to sleep: nothing runs there, and ${rest.length} awake bear the loss of any one${saying(idleWatts(node))}.`;
    context.power.push({ node: node.id, to: "sleep", because });
    return;
  }
}

function saying(watts: number): string {
  return watts > 0 ? `; saves ${watts} W` : "";
}

function idleWatts({ state }: NodeView): number {
  return parseWatts(state.labels[WATTS_LABEL])?.[0] ?? 0;
}
