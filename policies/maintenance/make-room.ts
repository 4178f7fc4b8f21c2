import type { JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { beginIfPossible, waitFor } from "../room/begin.js";
import { type Departure, FULL, findWay, type Way } from "../room/find-way.js";
import type { Guests } from "../room/guests.js";
import { isNothing, isRoomComing, lackOn, NOTHING } from "../room/lack.js";
import type { Candidate } from "../stages/candidates.js";
import { groupNeed, whyNotThere } from "../stages/feasible.js";
import type { Wish } from "../stages/place-elsewhere.js";
import type { Skip } from "../types.js";

/** What a destination without enough memory says to a move: to the question, and to the booking of room. */
const MEMORY_SHORT: ReadonlySet<string> = new Set(["memory-short", "RESERVATION_FAILED"]);

/**
 * For a workload that no node has room for: others move on to third nodes, so that there is room later. Nothing is given away before it is
 * free: the workload itself waits until the readings show the room, and so does each step of a chain. Null: there is no such way.
 */
export function makeRoom(alone: Candidate, wish: Wish, guests: Guests, context: JudgedContext): Skip | null {
  const gates = context.fleet.nodes.filter((node) => node !== alone.source && isFull(node, alone, context));
  // A group goes where there is room for all of it.
  const candidate = { ...alone, need: groupNeed(alone.workload, alone.need, context.ledger) };
  const expected = gates.find((gate) => isRoomComing(gate, candidate.need, context));
  if (expected) return waitFor(candidate, expected, "what leaves it, or has just left, is still counted there");
  const way = findWay(candidate, gates, guests, wish.reason, context);
  if (way === null) return null;
  const because = `${wish.why}; this makes room on ${way.gate.id} for ${candidate.workload.name}, which fits nowhere else.`;
  // Each as soon as it may: with the usual limits they follow one another.
  for (const departure of way.steps[0]!) beginIfPossible(departure, wish.reason, because, context);
  return waitFor(candidate, way.gate, sayWay(way));
}

function isFull(node: NodeView, { workload, need }: Candidate, context: JudgedContext): boolean {
  const reason = whyNotThere(workload, need, node, context, true);
  if (reason !== "target-refused") return FULL.has(reason);
  // Where the readings show room by now, it only has to be asked again.
  const isShort = workload.refusals?.some(({ to, code }) => to === node.id && MEMORY_SHORT.has(code));
  return isShort === true && !isNothing(lackOn(node, groupNeed(workload, need, context.ledger), NOTHING, context));
}

function sayWay({ steps }: Way): string {
  const say = (departures: readonly Departure[]) =>
    departures.map(({ guest, target }) => `${guest.workload.name} to ${target.id}`).join(", ");
  const [first = "", second] = steps.map(say);
  if (first === "") return `${second} as soon as the room for it shows there`;
  return `${first} first${second === undefined ? "" : `, then ${second}`}`;
}
