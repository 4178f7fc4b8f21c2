import { addMove, addSkip, type JudgedContext } from "../context.js";
import { estimateMoveCost } from "../cost/move-cost.js";
import type { NodeView } from "../fleet.js";
import { windowOver } from "../gates/window.js";
import { enterMove, openTrial } from "../ledger.js";
import { compareIds } from "../order.js";
import { refuse, refuseTarget } from "../sentences.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { cpuCeiling, whyNotThere } from "../stages/feasible.js";
import { whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { plural } from "../words.js";
import { findUnbearableLoss } from "./bear-loss.js";
import { consolidateInput } from "./from-snapshot.js";
import { openRooms, put, type Room, slackWith, take } from "./room.js";

const SECONDS_PER_HOUR = 3600;
/** In one plan: what has been moved is measured before more is. */
const MOST_EMPTIED = 4;
/** Each try weighs the whole fleet. In a fleet with more candidates others are tried a minute later. */
const MOST_TRIED = 8;
const TURN_SECONDS = 60;

interface Placing {
  readonly candidate: Candidate;
  readonly target: NodeView;
}

/**
 * Empties nodes that may sleep, dearest CPU and then least load first, each as a whole or not at all, onto nodes that are in use already;
 * and only where those that stay could bear the loss of any one of them.
 */
export function emptyNodes(mayEmpty: (node: NodeView) => boolean, awake: readonly NodeView[], context: JudgedContext): void {
  const { fleet, config } = context;
  const fill = { ...config.consolidate, fillRatio: Math.min(config.consolidate.fillRatio, cpuCeiling(config)) };
  const rooms = new Map(openRooms(consolidateInput(fleet.snapshot), fill).map((room) => [room.node.id, room]));
  const staying = new Set(awake);
  const filled = new Set<NodeView>();
  const sources = awake
    .filter((node) => mayEmpty(node) && node.workloads.length > 0 && !isLeftAlone(node, context))
    .sort((a, b) => compareSources(rooms.get(a.id)!, rooms.get(b.id)!));
  for (const source of inTurn(sources, context.now)) {
    if (awake.length - staying.size >= MOST_EMPTIED) return;
    // What has just been brought here is not carried on.
    if (filled.has(source)) continue;
    const placings = placeAll(source, rooms, staying, fill, context);
    if (placings === null) continue;
    staying.delete(source);
    for (const { candidate, target } of placings) {
      filled.add(target);
      shift(candidate, rooms.get(source.id)!, rooms.get(target.id)!);
      begin(candidate, target, placings.length, rooms.get(source.id)!, context);
    }
  }
}

function inTurn(sources: readonly NodeView[], now: number): readonly NodeView[] {
  if (sources.length <= MOST_TRIED) return sources;
  const first = Math.floor(now / TURN_SECONDS) % sources.length;
  return [...sources.slice(first), ...sources.slice(0, first)].slice(0, MOST_TRIED);
}

function compareSources(a: Room, b: Room): number {
  return wattsPerCpu(b) - wattsPerCpu(a) || a.mean / a.node.cpuCapacity - b.mean / b.node.cpuCapacity || compareIds(a.node.id, b.node.id);
}

function wattsPerCpu({ node }: Room): number {
  return (node.watts.at(-1) ?? 0) / node.cpuCapacity;
}

/** A place for all that a node runs; null when there is not one for each, or it is not worth it, or the loss of a node could not be borne then. */
function placeAll(
  source: NodeView,
  rooms: ReadonlyMap<string, Room>,
  staying: ReadonlySet<NodeView>,
  fill: JudgedContext["config"]["consolidate"],
  context: JudgedContext,
): Placing[] | null {
  const { fleet, config, now, ledger } = context;
  const entries = levelCandidates(source, fleet, config, now);
  const candidates = entries.filter((entry): entry is Candidate => !("reason" in entry) && !context.spoken.has(entry.workload.id));
  if (candidates.length < entries.length || !isWorthIt(rooms.get(source.id)!, fill)) return null;
  const trial = openTrial(ledger);
  const placings: Placing[] = [];
  for (const candidate of candidates.sort((a, b) => b.need.memoryBytes - a.need.memoryBytes || compareIds(a.workload.id, b.workload.id))) {
    const target = pickTarget(candidate, rooms, staying, fill, context);
    if (target === null) break;
    trial.enter(candidate.workload, candidate.need, target);
    shift(candidate, rooms.get(source.id)!, rooms.get(target.id)!);
    placings.push({ candidate, target });
  }
  trial.undo();
  for (const { candidate, target } of placings) shift(candidate, rooms.get(target.id)!, rooms.get(source.id)!);
  if (placings.length < candidates.length) return null;
  const placed = new Map([
    ...context.moves.map(({ workload, to }) => [workload, to] as const),
    ...placings.map(({ candidate, target }) => [candidate.workload.id, target.id] as const),
  ]);
  const left = [...staying].filter((node) => node !== source);
  return findUnbearableLoss({ fleet, config, awake: left, placed, growth: fill.marginRatio }) === null ? placings : null;
}

/** Of the nodes in use that may take it, the one with the cheapest CPU, and among equals the one that it fills best. */
function pickTarget(
  { workload, need, source }: Candidate,
  rooms: ReadonlyMap<string, Room>,
  staying: ReadonlySet<NodeView>,
  fill: JudgedContext["config"]["consolidate"],
  context: JudgedContext,
): NodeView | null {
  const item = findItem(workload.id, rooms.get(source.id)!);
  let best: { node: NodeView; price: number; slackRatio: number } | null = null;
  for (const node of staying) {
    const room = rooms.get(node.id)!;
    if (node === source || room.items.size === 0 || room.node.closed || isLeftAlone(node, context)) continue;
    const slackRatio = slackWith(room, item, fill) / room.node.cpuCapacity;
    if (slackRatio < 0) continue;
    const price = wattsPerCpu(room);
    if (best !== null && (price > best.price || (price === best.price && slackRatio >= best.slackRatio))) continue;
    if (whyNotThere(workload, need, node, context) ?? whyNotLevelTo(node, context)) continue;
    best = { node, price, slackRatio };
  }
  return best?.node ?? null;
}

/** Half a node is not emptied before a window opens: what cannot be finished is not begun. */
function isLeftAlone(node: NodeView, { fleet }: JudgedContext): boolean {
  return windowOver(fleet.snapshot.windows, node.id) !== null;
}

function isWorthIt(room: Room, { paybackSeconds, wattHoursPerMove }: JudgedContext["config"]["consolidate"]): boolean {
  const savedWattHours = ((room.node.watts[0] ?? 0) * paybackSeconds) / SECONDS_PER_HOUR;
  return savedWattHours > room.items.size * wattHoursPerMove;
}

function findItem(workload: string, room: Room) {
  for (const item of room.items) if (item.workload.id === workload) return item;
  throw new Error(`${workload} is not on ${room.node.id}`);
}

function shift({ workload }: Candidate, from: Room, to: Room): void {
  const item = findItem(workload.id, from);
  take(from, item);
  put(to, item);
}

/** Enters the move, or why it cannot begin just now: the rest of the node follows when it can. */
function begin({ workload, need, source }: Candidate, target: NodeView, count: number, room: Room, context: JudgedContext): void {
  const { config, now } = context;
  // It goes already, as one with another.
  if (context.spoken.has(workload.id)) return;
  const halt = whyNotStart(context, workload, "consolidate");
  const busy = halt === null ? whyNotArrive(context, target.id, "consolidate") : null;
  if (halt !== null || busy !== null) {
    addSkip(context, halt !== null ? refuse(workload, halt, config, now) : refuseTarget(workload, target, busy!, config));
    return;
  }
  const cost = estimateMoveCost(workload, need, source, target, config.cost);
  enterMove(context.ledger, workload, need, target);
  context.ledger.levellingMoves++;
  const because = `${source.id} can sleep: ${plural(count, "workload")} fit elsewhere, which saves the ${room.node.watts[0] ?? 0} W that it draws when idle.`;
  addMove(context, { workload: workload.id, from: source.id, to: target.id, reason: "consolidate", because, cost });
}
