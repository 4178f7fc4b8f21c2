import { isSettling, type JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { compareIds } from "../order.js";
import type { Policy } from "../policy.js";
import type { Snapshot } from "../types.js";
import { findUnbearableLoss } from "./bear-loss.js";
import { type Choices, chooseTogether } from "./choose-together.js";
import { emptyNodes, mostAtOnce } from "./empty-nodes.js";
import { awakeNodes, findShortage, isSound, whyExpectedTooMuch } from "./need-more.js";
import { compareDraws, drawOf } from "./watts.js";

/** Each time the whole fleet is weighed. */
const MOST_CHECKED = 8;

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
  const asleep = fleet.nodes.filter(({ state }) => state.power === "asleep");
  const wake = (node: NodeView, why: string) => context.power.push({ node: node.id, to: "wake", because: `Wakes ${node.id}: ${why}.` });
  if (!isSavingPower(fleet.snapshot, config.consolidate, now)) {
    for (const node of asleep) wake(node, config.consolidate.enabled ? "the time of power saving ends" : "power saving is switched off");
    return;
  }
  const flagged = asleep.filter(({ state }) => state.maintenance !== null);
  for (const node of flagged) wake(node, "it is under maintenance, and nobody can work on it asleep");
  const awake = awakeNodes(context);
  // One at a time, and one that is on its way is waited for: it may be enough.
  const isWaking = flagged.some(mayCome) || fleet.nodes.some((node) => node.state.power === "waking" && mayCome(node));
  const closing = fleet.nodes.filter(({ state }) => state.power === "closing");
  const shortage = findShortage(awake, context);
  if (shortage !== null) {
    // One that is closing opens again when it is not asked to sleep once more, and that may be enough.
    const cheapest = isWaking || closing.length > 0 ? undefined : inTurn(asleep).find((node) => shortage.wouldHelp(node));
    if (cheapest) wake(cheapest, shortage.why);
    return;
  }
  if (isWaking) return;
  for (const node of closing)
    if (isEmpty(node, context) && isSound(node, context) && maySleep(node, context)) sleep(node, awake.length, context);
  if (!isAtRest(context)) return;
  const asleepNow = sleepSome(awake, context);
  const staying = awake.filter((node) => !asleepNow.has(node));
  emptyNodes((node) => maySleep(node, context), staying, context);
}

/** Nothing under way, planned or settling: power saving is never in a hurry. */
function isAtRest({ fleet, config, now, moves }: JudgedContext): boolean {
  return moves.length === 0 && fleet.migrations.length === 0 && !fleet.nodes.some((node) => isSettling(node, config, now));
}

function maySleep({ id, state }: NodeView, { verdicts, config, now }: JudgedContext): boolean {
  if (state.labels[MAY_SLEEP_LABEL] !== "true" || verdicts.get(id)!.verdict !== "level") return false;
  return state.wokenAt == null || now - state.wokenAt >= config.consolidate.awakeSeconds;
}

function isEmpty({ id, workloads }: NodeView, { ledger }: JudgedContext): boolean {
  return workloads.length === 0 && ledger.accounts.get(id)!.moves === 0;
}

function sleep({ id, state }: NodeView, staying: number, { power }: JudgedContext): void {
  const { idleWatts } = drawOf(state);
  const because = `Puts ${id} to sleep: nothing runs there, and ${staying} awake bear the loss of any one; saves ${idleWatts} W.`;
  power.push({ node: id, to: "sleep", because });
}

/** Empty nodes, the dearest first, as long as the rest are enough without them, and with some load more than now. */
function sleepSome(awake: readonly NodeView[], context: JudgedContext): ReadonlySet<NodeView> {
  const { fleet, config } = context;
  const empty = byDraw(awake.filter((node) => isEmpty(node, context) && maySleep(node, context))).reverse();
  const without = (chosen: readonly NodeView[]) => awake.filter((node) => !chosen.includes(node));
  const choices: Choices<NodeView> = {
    offer: (from, count) => ({ part: empty.slice(from, from + count), next: from + count }),
    isBorne: (chosen) => {
      const rest = without(chosen);
      const standing = { fleet, config, awake: rest, placed: new Map<string, string>(), growth: config.consolidate.marginRatio };
      return rest.length > 0 && findUnbearableLoss(standing) === null && whyExpectedTooMuch(rest, context) === null;
    },
    withdraw: () => {},
  };
  const chosen = chooseTogether(choices, mostAtOnce(1, awake), MOST_CHECKED);
  for (const node of chosen) sleep(node, awake.length - chosen.length, context);
  return new Set(chosen);
}

/** One under maintenance that could not be woken is called again and again: whatever keeps it asleep must not keep the others asleep too. */
function mayCome({ state }: NodeView): boolean {
  return state.maintenance === null || state.wakeFailedAt == null;
}

/** Cheapest CPU first; last those that could not be woken, the one that was called longest ago first. */
function inTurn(asleep: readonly NodeView[]): NodeView[] {
  return byDraw(asleep).sort((a, b) => (a.state.wakeFailedAt ?? 0) - (b.state.wakeFailedAt ?? 0));
}

/** Cheapest CPU first. */
function byDraw(nodes: readonly NodeView[]): NodeView[] {
  const draws = new Map(nodes.map((node) => [node, drawOf(node.state)]));
  return [...nodes].sort((a, b) => compareDraws(draws.get(a)!, draws.get(b)!) || compareIds(a.id, b.id));
}
