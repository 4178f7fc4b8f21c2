import type { ConsolidateConfig } from "./config.js";
import { type Draft, openDraft } from "./draft.js";
import { emptyNodes } from "./empty.js";
import { relieve } from "./relieve.js";
import { excess } from "./room.js";
import type { ConsolidateInput, ConsolidatePlan } from "./types.js";

/**
 * Runs the workloads on as few watts as their forecasts allow. Overload goes first; nodes are emptied only while none is
 * left overloaded. Pure: the same input gives the same plan, and a plan computed on the result of a plan is empty.
 */
export function consolidate(input: ConsolidateInput, config: ConsolidateConfig): ConsolidatePlan {
  const draft = openDraft(input, config);
  const hot = new Set(draft.rooms.filter((room) => !room.node.closed && excess(room, config) > 0));
  const unrelieved = [...hot].filter((room) => !relieve(draft, room, hot)).map((room) => room.node.id);
  if (unrelieved.length === 0) while (emptyNodes(draft));
  return { moves: draft.moves, unrelieved, ...powerChanges(draft) };
}

function powerChanges({ rooms, config }: Draft): Pick<ConsolidatePlan, "wake" | "sleep"> {
  const open = rooms.filter((room) => !room.node.closed);
  const empty = open.filter((room) => room.items.size === 0).sort((a, b) => Number(b.node.awake) - Number(a.node.awake));
  const spare = new Set(empty.slice(0, config.spareNodes));
  return {
    wake: open.filter((room) => !room.node.awake && (room.items.size > 0 || spare.has(room))).map((room) => room.node.id),
    sleep: empty.filter((room) => room.node.awake && !spare.has(room)).map((room) => room.node.id),
  };
}
