import { plural } from "../words.js";
import { type Draft, pickTarget, record, shift, wattsPerCpu } from "./draft.js";
import { isResting } from "./relieve.js";
import { type Item, isMovable, type Room } from "./room.js";

const SECONDS_PER_HOUR = 3600;

/**
 * Empties nodes, dearest CPU and then least load first, each as a whole or not at all. A node that has just taken
 * workloads keeps them. Returns whether any node was emptied.
 */
export function emptyNodes(draft: Draft): boolean {
  const sources = draft.rooms
    .filter((room) => room.items.size > 0 && !room.node.closed)
    .sort((a, b) => wattsPerCpu(b) - wattsPerCpu(a) || a.mean / a.node.cpuCapacity - b.mean / b.node.cpuCapacity);
  let emptied = false;
  for (const source of sources) {
    const items = [...source.items];
    if (!isWorthIt(draft, source) || !items.every((item) => mayLeave(draft, item))) continue;
    emptied = emptyNode(draft, source, items) || emptied;
  }
  return emptied;
}

function emptyNode(draft: Draft, source: Room, items: readonly Item[]): boolean {
  const placed: { item: Item; target: Room }[] = [];
  for (const item of items.toSorted((a, b) => b.mean - a.mean)) {
    const target = pickTarget(draft, item, (room) => room === source, false);
    if (target === null) {
      for (const { item: back, target: from } of placed) shift(back, from, source);
      return false;
    }
    shift(item, source, target);
    placed.push({ item, target });
  }
  const because = `${source.node.id} can sleep: ${plural(items.length, "workload")} fit elsewhere, which saves the ${idleWatts(source)} W that it draws when idle`;
  for (const { item, target } of placed) record(draft, item, source, target, { reason: "consolidate", because });
  return true;
}

function isWorthIt(draft: Draft, source: Room): boolean {
  const savedWattHours = (idleWatts(source) * draft.config.paybackSeconds) / SECONDS_PER_HOUR;
  return savedWattHours > source.items.size * draft.config.wattHoursPerMove;
}

function idleWatts(source: Room): number {
  return source.node.watts[0] ?? 0;
}

function mayLeave(draft: Draft, item: Item): boolean {
  return isMovable(item) && !draft.moved.has(item) && !isResting(draft, item);
}
