import type { JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { openTrial } from "../ledger.js";
import type { Need } from "../need.js";
import { compareIds } from "../order.js";
import type { Candidate } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import type { MoveReason } from "../types.js";
import { findPlace, type Guests } from "./guests.js";
import { add, isNothing, isRoomComing, lackOn, roomComing } from "./lack.js";

/** Where others' departures may leave enough room. */
export const FULL: ReadonlySet<string | null> = new Set(["target-cpu-full", "target-memory-full"]);
/** How many guests of one node make room for one workload. */
const MOST_GUESTS = 4;
/** Nodes on which room is sought for one workload by more than one departure: those that lack least. */
const MOST_GATES = 32;
/** Places that are looked for on behalf of one workload, by one guest alone, by several, and by a chain. */
const MOST_TRIED = 200;

export interface Departure {
  readonly guest: Candidate;
  readonly target: NodeView;
}

/** How room comes about on `gate`. Moves of one step may begin together, those of the next only when the room is there. */
export interface Way {
  readonly gate: NodeView;
  readonly steps: readonly (readonly Departure[])[];
}

interface Search {
  readonly candidate: Candidate;
  readonly guests: Guests;
  readonly reason: MoveReason;
  readonly context: JudgedContext;
}

/**
 * A way to room for a workload that fits nowhere: one guest of a full node that moves on, the lightest that is enough; else several of one
 * node, or one that takes the place of another which moves on before it, whichever carries less. Null: there is none within what is tried.
 */
export function findWay(
  candidate: Candidate,
  gates: readonly NodeView[],
  guests: Guests,
  reason: MoveReason,
  context: JudgedContext,
): Way | null {
  const search: Search = { candidate, guests, reason, context };
  const alone = gates
    .flatMap((gate) => enoughAlone(candidate.need, gate, search))
    .sort((a, b) => a.need.memoryBytes - b.need.memoryBytes || compareIds(a.workload.id, b.workload.id));
  const nodes = new Map(gates.map((gate) => [gate.id, gate]));
  for (const guest of alone.slice(0, MOST_TRIED)) {
    const target = placeOf(guest, [], search);
    if (target !== null) return { gate: nodes.get(guest.source.id)!, steps: [[{ guest, target }]] };
  }
  const near = [...gates]
    .map((gate) => ({ gate, lack: lackRatio(gate, candidate.need, context) }))
    .sort((a, b) => a.lack - b.lack || compareIds(a.gate.id, b.gate.id))
    .slice(0, MOST_GATES)
    .map(({ gate }) => gate);
  const ways = [...near.map((gate) => bySeveral(gate, search)), byChain(alone, search)].filter((way) => way !== null);
  return ways.sort((a, b) => bytesOf(a) - bytesOf(b) || compareIds(a.gate.id, b.gate.id))[0] ?? null;
}

function bytesOf({ steps }: Way): number {
  return steps.flat().reduce((sum, { guest }) => sum + guest.need.memoryBytes, 0);
}

function lackRatio(gate: NodeView, need: Need, context: JudgedContext): number {
  const { cpuCores, memoryBytes } = lackOn(gate, need, roomComing(gate, context), context);
  return Math.max(cpuCores / gate.state.cpuCapacityCores, memoryBytes / gate.state.memoryCapacityBytes);
}

/** Guests of a node each of which leaves enough room for this by its going, besides what goes already. */
function enoughAlone(need: Need, gate: NodeView, { guests, context }: Search): Candidate[] {
  const { cpuCores, memoryBytes } = lackOn(gate, need, roomComing(gate, context), context);
  return guests
    .of(gate)
    .filter(
      (guest) => guest.frees.cpuCores >= cpuCores && guest.frees.memoryBytes >= memoryBytes && !context.spoken.has(guest.workload.id),
    );
}

function placeOf(guest: Candidate, closed: readonly NodeView[], { candidate, reason, context }: Search): NodeView | null {
  return findPlace(guest, new Set([candidate.source, ...closed]), reason, context);
}

/** The guests that take most of what is lacking first; those without which it is enough as well stay. */
function bySeveral(gate: NodeView, search: Search): Way | null {
  const { candidate, guests, context } = search;
  const coming = roomComing(gate, context);
  const lack = lackOn(gate, candidate.need, coming, context);
  const share = ({ frees }: Candidate) =>
    (lack.cpuCores > 0 ? Math.min(1, frees.cpuCores / lack.cpuCores) : 0) +
    (lack.memoryBytes > 0 ? Math.min(1, frees.memoryBytes / lack.memoryBytes) : 0);
  const order = guests
    .of(gate)
    .filter((guest) => share(guest) > 0 && !context.spoken.has(guest.workload.id))
    .sort((a, b) => share(b) - share(a) || compareIds(a.workload.id, b.workload.id));
  const trial = openTrial(context.ledger);
  const leaving: Departure[] = [];
  let gone = coming;
  for (const guest of order.slice(0, MOST_TRIED)) {
    if (leaving.length === MOST_GUESTS) break;
    const target = placeOf(guest, [], search);
    if (target === null) continue;
    trial.enter(guest.workload, guest.need, target);
    leaving.push({ guest, target });
    gone = add(gone, guest.frees);
    // The trial counts them as leaving, so what is lacking is judged by what goes and not by the ledger.
    if (isNothing(lackOn(gate, candidate.need, gone, context))) break;
  }
  trial.undo();
  if (leaving.length === 0 || !isNothing(lackOn(gate, candidate.need, gone, context))) return null;
  for (const departure of [...leaving].reverse()) {
    const without = add(gone, { cpuCores: -departure.guest.frees.cpuCores, memoryBytes: -departure.guest.frees.memoryBytes });
    if (!isNothing(lackOn(gate, candidate.need, without, context))) continue;
    leaving.splice(leaving.indexOf(departure), 1);
    gone = without;
  }
  return { gate, steps: [leaving] };
}

/** One that is enough, and for which a guest of another full node moves on first; or for which room is coming there already. */
function byChain(alone: readonly Candidate[], search: Search): Way | null {
  const { candidate, context } = search;
  let [looked, tried] = [0, 0];
  for (const guest of alone.slice(0, MOST_GATES)) {
    const gate = guest.source;
    for (const middle of context.fleet.nodes) {
      if (middle === gate || middle === candidate.source) continue;
      if (!FULL.has(whyNotThere(guest.workload, guest.need, middle, context))) continue;
      if (isRoomComing(middle, guest.need, context)) return { gate, steps: [[], [{ guest, target: middle }]] };
      if (looked++ >= MOST_TRIED) return null;
      for (const first of enoughAlone(guest.need, middle, search)) {
        if (tried++ >= MOST_TRIED) return null;
        const target = placeOf(first, [gate], search);
        if (target !== null) return { gate, steps: [[{ guest: first, target }], [{ guest, target: middle }]] };
      }
    }
  }
  return null;
}
