import { applyPlan } from "../apply-plan.js";
import type { PolicyConfig } from "../config.js";
import { decide } from "../decide.js";
import type { Move, NodeState, Plan, PowerChange, Snapshot } from "../types.js";
import { asAwake, asAway, usualIdle } from "./awake.js";

export interface Foresight {
  /** Every move until nothing is left to do, in order. */
  readonly moves: readonly Move[];
  /** Nodes that are woken for it, in order. */
  readonly woken: readonly PowerChange[];
  /** The plan in the end: its skips are what stays undone, and why. */
  readonly last: Plan;
  readonly end: Snapshot;
  /** False: it did not come to rest within the rounds that were looked at. */
  readonly isAtRest: boolean;
}

const ROUNDS = 50;
/** Longer than any settling, so that each round sees the nodes as measured. */
const ROUND_SECONDS = 3600;

/**
 * Plays a fleet forward with the same code that decides, as if every move succeeded, every node that is woken came, and the load stayed as it
 * is. Limits on how much moves at once, or how often, only delay: they are left out. Nothing is put to sleep.
 */
export function foresee(snapshot: Snapshot, config: PolicyConfig, now: number): Foresight {
  const patient: PolicyConfig = {
    ...config,
    cooldownSeconds: 0,
    movesPerHour: null,
    concurrency: { perNode: Number.MAX_SAFE_INTEGER, fleet: Number.MAX_SAFE_INTEGER },
  };
  const moves: Move[] = [];
  const woken: PowerChange[] = [];
  const nodes = snapshot.nodes.map(settlePower);
  let state: Snapshot = { ...snapshot, nodes, windows: [] };
  let last = decide(state, patient, now);
  for (let round = 1; !isOver(state, last) && round < ROUNDS; round++) {
    const waking = last.power.filter(({ to }) => to === "wake");
    moves.push(...last.moves);
    woken.push(...waking);
    const at = now + round * ROUND_SECONDS;
    state = wait(wake(applyPlan(state, last), new Set(waking.map(({ node }) => node)), at), at);
    last = decide(state, patient, at);
  }
  return { moves, woken, last, end: state, isAtRest: isOver(state, last) };
}

/** One that has just been told to sleep can be woken only once it does; of one that is only closing nothing is awaited. */
function settlePower(node: NodeState): NodeState {
  if (node.power === "closing") return { ...node, power: null };
  return node.power === "falling-asleep" ? asAway(node, "asleep") : node;
}

/** One that has been called already is waited for. */
function isOver({ nodes }: Snapshot, { moves, power }: Plan): boolean {
  return moves.length === 0 && !power.some(({ to }) => to === "wake") && !nodes.some((node) => node.power === "waking");
}

function wake(snapshot: Snapshot, called: ReadonlySet<string>, at: number): Snapshot {
  const idle = usualIdle(snapshot);
  // Read as long and as often as the others have been.
  const readAt = snapshot.nodes.find(({ history }) => history.length > 0)?.history.map((point) => point.at) ?? [at];
  const come = (node: NodeState) => called.has(node.id) || node.power === "waking";
  return { ...snapshot, nodes: snapshot.nodes.map((node) => (come(node) ? asAwake(node, idle, readAt, at) : node)) };
}

/** Time passes and nothing changes: each node's last reading has stood for the whole of its history, and a window of power saving ends no sooner. */
function wait(snapshot: Snapshot, at: number): Snapshot {
  const nodes = snapshot.nodes.map((node) => {
    const last = node.history.at(-1);
    if (last === undefined) return node;
    const shift = at - last.at;
    return { ...node, history: node.history.map((point) => ({ ...last, at: point.at + shift })) };
  });
  const saving = snapshot.powerSaving;
  const endsAt = saving?.endsAt == null ? null : saving.endsAt + at - snapshot.at;
  return { ...snapshot, at, nodes, ...(saving && { powerSaving: { ...saving, endsAt } }) };
}
