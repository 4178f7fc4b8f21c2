import { addSkip, isSettling, type JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { beginIfPossible, waitFor } from "../room/begin.js";
import type { Departure } from "../room/find-way.js";
import { type Guests, listGuests } from "../room/guests.js";
import { isNothing, roomComing } from "../room/lack.js";
import type { Candidate } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { whyNotArrive, whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { amountOf, capacityOf } from "../stages/score.js";
import type { MoveReason, SkipReason } from "../types.js";
import { bytes, cores } from "../words.js";
import { isForTheSearch } from "./chain/chain-model.js";
import { type Chain, findChain } from "./chain/find-chain.js";
import { neighbourhoodOf } from "./chain/neighbourhood.js";
import type { Relief } from "./choose-move.js";

/** Reasons for which a step has to wait: for those before it, or its turn. Any other spoils the chain. */
const WAITING: ReadonlySet<SkipReason> = new Set([
  "target-cpu-full",
  "target-memory-full",
  "anti-affinity",
  "source-busy",
  "fleet-busy",
  "disruption-budget",
  "target-busy",
]);

const STILL_COUNTED = "what leaves it, or has just left, is still counted there";

/**
 * For a node that no single move can relieve for want of room: others move out of the way first. What has room now begins; what depends on it waits
 * until the readings show the room, and is sought anew at every tick, so that nothing has to be remembered.
 */
export function makeRoom(remaining: Iterable<Candidate>, relief: Relief, context: JudgedContext): void {
  const leaving = [...remaining].filter((candidate) => mayLeave(candidate, relief, context));
  if (leaving.length === 0) return;
  const around = neighbourhoodOf(leaving, context);
  if (around.length === 0) return;
  const guests = listGuests("room", context);
  const lowest = Math.min(...leaving.map(priorityOf));
  const isUsual = (candidate: Candidate) => priorityOf(candidate) <= lowest;
  const everybody = [...leaving, ...around.flatMap((node) => guests.of(node))];
  // Those of higher priority are asked only when it does not work without them.
  const attempts = everybody.every(isUsual) ? [() => true] : [isUsual, () => true];
  for (const mayBeAsked of attempts) {
    const asked: Guests = { of: (node) => guests.of(node).filter(mayBeAsked) };
    const chain = findChain({ leaving: leaving.filter(mayBeAsked), around, guests: asked, relief }, context);
    if (chain !== null && carryOut(chain, leaving[0]!.source, context)) return;
  }
}

function priorityOf({ workload }: Candidate): number {
  return workload.constraints.priority ?? 0;
}

/** It may go now, its going is enough of a relief by itself, and nothing ties it that the search does not know. */
function mayLeave(candidate: Candidate, { resource, excess }: Relief, context: JudgedContext): boolean {
  const { workload, frees, source } = candidate;
  const share = amountOf(resource, frees) / capacityOf(resource, source) / excess;
  if (!isForTheSearch(candidate) || share === 0 || share < context.config.overload.minimumGainRatio) return false;
  return !context.spoken.has(workload.id) && whyNotStart(context, workload, "overload") === null;
}

/** Begins what may begin now. False: some of it never can, or there is nothing to wait for but what single moves wait for too. */
function carryOut({ departures: chain, isCertain }: Chain, hot: NodeView, context: JudgedContext): boolean {
  const isPossible = chain.every((step) => {
    const refusal = whyNotNow(step, reasonOf(step, hot), context);
    return refusal === null || WAITING.has(refusal);
  });
  const isMade = chain.some(({ guest }) => guest.source !== hot);
  const isComing = chain.some(({ target }) => !isNothing(roomComing(target, context)));
  if (!isPossible || (!isMade && !isComing)) return false;
  // Readings that settle may still change the way: none of it is begun before they have.
  const isSteady = chain.every(({ guest, target }) =>
    [guest.source, target].every((node) => !isSettling(node, context.config, context.now)),
  );
  const begun = chain.filter(
    (step) => isCertain && isSteady && beginIfPossible(step, reasonOf(step, hot), sayWhy(step, chain, hot), context),
  );
  for (const { guest, target } of chain) {
    if (guest.source === hot && !context.spoken.has(guest.workload.id))
      addSkip(context, waitFor(guest, target, isCertain && isMade ? sayWay(chain, begun, hot) : STILL_COUNTED));
  }
  return true;
}

function whyNotNow({ guest, target }: Departure, reason: MoveReason, context: JudgedContext): SkipReason | null {
  const { workload, need } = guest;
  const refusal = whyNotLevelTo(target, context);
  if (refusal !== null && refusal !== "target-settling") return refusal;
  return whyNotStart(context, workload, reason) ?? whyNotArrive(context, target.id, reason) ?? whyNotThere(workload, need, target, context);
}

function reasonOf({ guest }: Departure, hot: NodeView): MoveReason {
  return guest.source === hot ? "overload" : "room";
}

/** `Makes room on n3 for b, and so on n2 for a, which n1 must lose; it uses …` */
function sayWhy(step: Departure, chain: readonly Departure[], hot: NodeView): string {
  const { need, frees } = step.guest;
  const what = `it uses ${cores(frees.cpuCores)} and ${bytes(need.memoryBytes)}`;
  if (step.guest.source === hot) return `${hot.id} must lose it, and ${step.target.id} has room for it; ${what}.`;
  const places: string[] = [];
  for (let index = chain.indexOf(step); chain[index]!.guest.source !== hot; ) {
    const gate = chain[index]!.guest.source;
    const next = chain.findIndex(({ target }, position) => target === gate && position > index);
    if (next < 0) break;
    places.push(`on ${gate.id} for ${chain[next]!.guest.workload.name}`);
    index = next;
  }
  return `Makes room ${places.join(", and so ")}, which ${hot.id} must lose; ${what}.`;
}

function sayWay(chain: readonly Departure[], begun: readonly Departure[], hot: NodeView): string {
  const say = (steps: readonly Departure[], between: string) =>
    steps.map(({ guest, target }) => `${guest.workload.name} to ${target.id}`).join(between);
  const makers = chain.filter(({ guest }) => guest.source !== hot);
  const first = begun.filter((step) => makers.includes(step));
  const later = makers.filter((step) => !begun.includes(step));
  if (first.length === 0) return `${say(later, ", then ")} as soon as they may`;
  return `${say(first, ", ")} first${later.length === 0 ? "" : `, then ${say(later, ", then ")}`}`;
}
