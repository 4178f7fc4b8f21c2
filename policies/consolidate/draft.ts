import type { ConsolidateConfig } from "./config.js";
import { type Item, mayHold, openRooms, put, type Room, slackWith, take } from "./room.js";
import type { ConsolidateInput, ConsolidateMove } from "./types.js";

/** The plan while it is being made. */
export interface Draft {
  readonly at: number;
  readonly config: ConsolidateConfig;
  /** Cheapest CPU first. */
  readonly rooms: readonly Room[];
  readonly moves: ConsolidateMove[];
  readonly moved: Set<Item>;
}

export function openDraft(input: ConsolidateInput, config: ConsolidateConfig): Draft {
  const rooms = openRooms(input, config).sort((a, b) => wattsPerCpu(a) - wattsPerCpu(b));
  return { at: input.at, config, rooms, moves: [], moved: new Set() };
}

/** Watts that a full node draws for each unit of CPU. */
export function wattsPerCpu(room: Room): number {
  return (room.node.watts.at(-1) ?? 0) / room.node.cpuCapacity;
}

/**
 * The node in use with the cheapest CPU that has room, and among equals the one that it fills best. If there is none and
 * `mayWake`, the cheapest empty one, awake before asleep. Null: nowhere.
 */
export function pickTarget(draft: Draft, item: Item, barred: (room: Room) => boolean, mayWake: boolean): Room | null {
  let best: Room | null = null;
  let bestPrice = Number.POSITIVE_INFINITY;
  let bestSlackRatio = Number.POSITIVE_INFINITY;
  let empty: Room | null = null;
  for (const room of draft.rooms) {
    if (room.items.size === 0 && !mayWake) continue;
    const price = wattsPerCpu(room);
    if (best !== null && price > bestPrice) break;
    const slack = slackWith(room, item, draft.config);
    if (slack < 0 || barred(room) || !mayHold(room, item, draft.config)) continue;
    const slackRatio = slack / room.node.cpuCapacity;
    if (room.items.size === 0) {
      if (empty === null || (room.node.awake && !empty.node.awake && price === wattsPerCpu(empty))) empty = room;
    } else if (slackRatio < bestSlackRatio) {
      best = room;
      bestPrice = price;
      bestSlackRatio = slackRatio;
    }
  }
  return best ?? empty;
}

export function shift(item: Item, from: Room, to: Room): void {
  take(from, item);
  put(to, item);
}

export function record(draft: Draft, item: Item, from: Room, to: Room, why: Pick<ConsolidateMove, "reason" | "because">): void {
  draft.moved.add(item);
  draft.moves.push({ workload: item.workload.id, from: from.node.id, to: to.node.id, ...why });
}
