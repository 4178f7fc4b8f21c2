import { addMove, addSkip, type JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import type { NodeView } from "../fleet.js";
import { windowOver } from "../gates/window.js";
import { enterMove, openTrial } from "../ledger.js";
import { type Need, needOf } from "../need.js";
import { compareIds } from "../order.js";
import { refuse, refuseTarget } from "../sentences.js";
import { whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import type { Skip, WorkloadState } from "../types.js";
import { plural } from "../words.js";
import { findUnbearableLoss } from "./bear-loss.js";
import { type Choices, chooseTogether } from "./choose-together.js";
import { type Emptying, type Ground, type Placing, placeAll } from "./place-all.js";
import { fillBounds, openRoom, type Room } from "./room.js";
import { compareDraws } from "./watts.js";

const SECONDS_PER_HOUR = 3600;
/** In one plan, if this is more than a share of the fleet. */
const MOST_EMPTIED = 4;
const MOST_SHARE = 0.1;
/** Each time the whole fleet is weighed. */
const MOST_CHECKED = 10;
/** Workloads held against nodes: bounds the time that a plan takes in a large fleet, where others are tried a minute later. */
const MOST_LOOKS = 1_000_000;
const TURN_SECONDS = 60;

/**
 * Empties nodes that may sleep, dearest CPU and then least load first, each as a whole or not at all, onto nodes that are in use already;
 * and only where those that stay could bear the loss of any one of them.
 */
export function emptyNodes(mayEmpty: (node: NodeView) => boolean, awake: readonly NodeView[], context: JudgedContext): void {
  const { config, limits, ledger, now } = context;
  const rooms = awake.map((node) => openRoom(node, config)).filter(({ items, node }) => items.size > 0 && !isLeftAlone(node, context));
  const targets = new Set(rooms.filter(({ node }) => whyNotLevelTo(node, context) === null));
  const sources = rooms.filter((room) => mayEmpty(room.node) && isWorthIt(room, config.consolidate)).sort(compareSources);
  const ground: Ground = { targets, filled: new Map(), bounds: fillBounds(config), looks: 0 };
  const turn = inTurn(sources, targets.size, now);
  const choices: Choices<Emptying> = {
    offer: (from, count) => offer(turn, from, count, ground, context),
    isBorne: (chosen) => bearsLoss(chosen, placingsOf(chosen), awake, context),
    withdraw,
  };
  const most = Math.min(mostAtOnce(MOST_EMPTIED, awake), limits.fleet - ledger.movesUnderWay);
  const emptied = chooseTogether(choices, most, MOST_CHECKED);
  // All were entered to see whether they fit together; now each begins that may.
  withdraw(emptied);
  for (const { placing, from, halt } of chooseSteps(emptied, awake, context)) {
    if (context.spoken.has(placing.candidate.workload.id)) continue;
    if (halt === null) begin(placing, from, context);
    else addSkip(context, halt);
  }
}

/** So many, or this share of the nodes awake: what has been changed is measured before more is. */
export function mostAtOnce(least: number, awake: readonly NodeView[]): number {
  return Math.max(least, Math.floor(awake.length * MOST_SHARE));
}

function offer(sources: readonly Room[], from: number, count: number, ground: Ground, context: JudgedContext) {
  const part: Emptying[] = [];
  let next = from;
  while (next < sources.length && part.length < count && ground.looks < MOST_LOOKS) {
    const emptying = placeAll(sources[next++]!, ground, context);
    if (emptying !== null) part.push(emptying);
  }
  return { part, next };
}

function withdraw(part: readonly Emptying[]): void {
  for (const { undo } of [...part].reverse()) undo();
}

const placingsOf = (emptied: readonly Emptying[]) => emptied.flatMap(({ placings }) => placings);

/** @param emptied nodes that are empty then */
function bearsLoss(
  emptied: readonly Emptying[],
  placings: readonly Placing[],
  awake: readonly NodeView[],
  { fleet, config, moves }: JudgedContext,
): boolean {
  const left = new Set(emptied.map(({ room }) => room.node));
  const placed = new Map(moves.map(({ workload, to }) => [workload, to]));
  for (const { candidate, target } of placings) placed.set(candidate.workload.id, target.node.id);
  const staying = awake.filter((node) => !left.has(node));
  return findUnbearableLoss({ fleet, config, awake: staying, placed, growth: config.consolidate.marginRatio }) === null;
}

function inTurn(sources: readonly Room[], targets: number, now: number): readonly Room[] {
  const looks = sources.reduce((sum, { items }) => sum + items.size * targets, 0);
  if (looks <= MOST_LOOKS) return sources;
  const first = Math.floor(now / TURN_SECONDS) % sources.length;
  return [...sources.slice(first), ...sources.slice(0, first)];
}

function compareSources(a: Room, b: Room): number {
  return compareDraws(b.draw, a.draw) || a.mean / a.capacityCores - b.mean / b.capacityCores || compareIds(a.node.id, b.node.id);
}

/** Half a node is not emptied before a window opens: what cannot be finished is not begun. */
function isLeftAlone(node: NodeView, { fleet }: JudgedContext): boolean {
  return windowOver(fleet.snapshot.windows, node.id) !== null;
}

function isWorthIt({ draw, items }: Room, { paybackSeconds, wattHoursPerMove }: JudgedContext["config"]["consolidate"]): boolean {
  return (draw.idleWatts * paybackSeconds) / SECONDS_PER_HOUR > items.size * wattHoursPerMove;
}

/** A move out of a node, and what keeps it from beginning just now; null = nothing does, and the rest of the node follows when it can. */
interface Step {
  readonly placing: Placing;
  readonly from: Emptying;
  readonly halt: Skip | null;
}

/**
 * What begins and what waits. As long as something waits its node is half empty and awake, and others have been filled: if the loss of a node could
 * not be borne then, fewer nodes are emptied.
 */
function chooseSteps(emptied: readonly Emptying[], awake: readonly NodeView[], context: JudgedContext): readonly Step[] {
  for (let count = emptied.length; count > 0; count = Math.floor(count / 2)) {
    const chosen = emptied.slice(0, count);
    const steps = foretellSteps(chosen, context);
    const isWhole = (each: Emptying) => steps.every(({ from, halt }) => from !== each || halt === null);
    if (count === emptied.length && chosen.every(isWhole)) return steps;
    const begun = steps.flatMap(({ placing, halt }) => (halt === null ? [placing] : []));
    if (bearsLoss(chosen.filter(isWhole), begun, awake, context)) return steps;
  }
  return [];
}

/** Leaves the ledger as it was. */
function foretellSteps(emptied: readonly Emptying[], context: JudgedContext): Step[] {
  const { fleet, ledger } = context;
  const { levellingMoves } = ledger;
  const trial = openTrial(ledger);
  const gone = new Set<string>();
  const enter = (workload: WorkloadState, need: Need, { node }: Room) => {
    trial.enter(workload, need, node);
    ledger.levellingMoves++;
    gone.add(workload.id);
  };
  const steps = emptied.flatMap((from) =>
    from.placings.map((placing): Step => {
      const { workload, need } = placing.candidate;
      const halt = gone.has(workload.id) ? null : whyNotNow(placing, context);
      if (halt === null) {
        const asOne = fleet.asOne.get(workload.id) ?? [workload];
        for (const each of asOne) if (!gone.has(each.id)) enter(each, each === workload ? need : needOf(each)!, placing.target);
      }
      return { placing, from, halt };
    }),
  );
  trial.undo();
  ledger.levellingMoves = levellingMoves;
  return steps;
}

function whyNotNow({ candidate, target }: Placing, context: JudgedContext): Skip | null {
  const { workload } = candidate;
  const { config, now } = context;
  const halt = whyNotStart(context, workload, "consolidate");
  if (halt !== null) return refuse(workload, halt, config, now);
  const busy = whyNotArrive(context, target.node.id, "consolidate");
  return busy === null ? null : refuseTarget(workload, target.node, busy, config);
}

function begin({ candidate, target }: Placing, { room: { draw }, placings: { length } }: Emptying, context: JudgedContext): void {
  const { workload, need, source } = candidate;
  const cost = estimateMoveCost(workload, need, source, target.node, context.config.cost);
  enterMove(context.ledger, workload, need, target.node);
  context.ledger.levellingMoves++;
  const because = `${source.id} can sleep: ${plural(length, "workload")} ${length === 1 ? "fits" : "fit"} elsewhere, which saves the ${draw.idleWatts} W that it draws when idle.`;
  addMove(context, { workload: workload.id, from: source.id, to: target.node.id, reason: "consolidate", because, cost });
}
