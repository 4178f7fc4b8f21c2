import type { JudgedContext } from "../context.js";
import { openTrial } from "../ledger.js";
import { compareIds } from "../order.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { whyNotThere } from "../stages/feasible.js";
import { shareOf } from "./bear-loss.js";
import { type FillBounds, type Room, shift, slackWith } from "./room.js";

export interface Placing {
  readonly candidate: Candidate;
  readonly target: Room;
}

/** A node whose workloads have all found a place. They are entered in the rooms and the ledger until `undo`. */
export interface Emptying {
  readonly room: Room;
  readonly placings: readonly Placing[];
  readonly undo: () => void;
}

/** The nodes in use that may take something, as the plan in the making leaves them. */
export interface Ground {
  readonly targets: Set<Room>;
  /** How many workloads each has been given. */
  readonly filled: Map<Room, number>;
  readonly bounds: FillBounds;
  /** How often a workload was held against a node. */
  looks: number;
}

/** A place for all that a node runs; null when there is not one for each. */
export function placeAll(room: Room, ground: Ground, context: JudgedContext): Emptying | null {
  const { fleet, config, now, ledger } = context;
  // What has just been brought here is not carried on.
  if ((ground.filled.get(room) ?? 0) > 0) return null;
  const entries = levelCandidates(room.node, fleet, config, now);
  const candidates = entries.filter((entry): entry is Candidate => !("reason" in entry) && !context.spoken.has(entry.workload.id));
  if (candidates.length < entries.length) return null;
  const trial = openTrial(ledger);
  const placings: Placing[] = [];
  const wasTarget = ground.targets.delete(room);
  const undo = () => {
    trial.undo();
    for (const { candidate, target } of [...placings].reverse()) {
      shift(target.items.get(candidate.workload.id)!, target, room);
      ground.filled.set(target, ground.filled.get(target)! - 1);
    }
    if (wasTarget) ground.targets.add(room);
  };
  const share = ({ workload }: Candidate) => shareOf(workload, room.node);
  for (const candidate of candidates.sort((a, b) => share(b) - share(a) || compareIds(a.workload.id, b.workload.id))) {
    const target = pickTarget(candidate, room, ground, context);
    if (target === null) {
      undo();
      return null;
    }
    trial.enter(candidate.workload, candidate.need, target.node);
    shift(room.items.get(candidate.workload.id)!, room, target);
    ground.filled.set(target, (ground.filled.get(target) ?? 0) + 1);
    placings.push({ candidate, target });
  }
  return { room, placings, undo };
}

/** Of the nodes in use that may take it, the one with the cheapest CPU, and among equals the one that it fills best. */
function pickTarget({ workload, need }: Candidate, source: Room, ground: Ground, context: JudgedContext): Room | null {
  const item = source.items.get(workload.id)!;
  let best: Room | null = null;
  let bestSlack = Number.POSITIVE_INFINITY;
  ground.looks += ground.targets.size;
  for (const room of ground.targets) {
    const slack = slackWith(room, item, ground.bounds);
    if (slack < 0) continue;
    const dearer = best === null ? -1 : room.draw.wattsPerCore - best.draw.wattsPerCore;
    if (dearer > 0 || (dearer === 0 && slack >= bestSlack)) continue;
    if (whyNotThere(workload, need, room.node, context) !== null) continue;
    best = room;
    bestSlack = slack;
  }
  return best;
}
