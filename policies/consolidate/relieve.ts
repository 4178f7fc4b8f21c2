import { percent } from "../words.js";
import { type Draft, pickTarget, record, shift } from "./draft.js";
import { excess, type Item, isMovable, type Room } from "./room.js";

/** Brings a node under its bound with as few moves as it can; false = it could not. */
export function relieve(draft: Draft, source: Room, hot: ReadonlySet<Room>): boolean {
  for (;;) {
    const over = excess(source, draft.config);
    if (over <= 0) return true;
    const before = source.now / source.node.cpuCapacity;
    const chosen = firstPlaceable(draft, source, over, hot);
    if (chosen === null) return false;
    const { item, target } = chosen;
    shift(item, source, target);
    const because = `${source.node.id} is asked for ${percent(before)} of its CPU, ${percent(item.now / source.node.cpuCapacity)} of it by this workload`;
    record(draft, item, source, target, { reason: "overload", because });
  }
}

function firstPlaceable(draft: Draft, source: Room, over: number, hot: ReadonlySet<Room>): { item: Item; target: Room } | null {
  const barred = (room: Room) => room === source || hot.has(room);
  for (const item of byUsefulness(draft, source, over)) {
    const target = pickTarget(draft, item, barred, true);
    if (target !== null) return { item, target };
  }
  return null;
}

/** Rested before recently moved; then the smallest that is enough by itself; then, if none is, the largest. */
function byUsefulness(draft: Draft, source: Room, over: number): Item[] {
  const size = (item: Item) => Math.max(item.now, item.mean);
  const rank = (item: Item) => (isResting(draft, item) ? 2 : 0) + (size(item) < over ? 1 : 0);
  return [...source.items]
    .filter((item) => isMovable(item) && !draft.moved.has(item))
    .sort((a, b) => rank(a) - rank(b) || (size(a) < over ? size(b) - size(a) : size(a) - size(b)));
}

export function isResting(draft: Draft, item: Item): boolean {
  const { lastMovedAt } = item.workload;
  return lastMovedAt !== null && draft.at - lastMovedAt < draft.config.cooldownSeconds;
}
