import { whyUnsafe } from "./can-move.js";
import { type CompleteConfig, completeConfig, type PolicyConfig } from "./config.js";
import { whyEvacuated } from "./health/judge.js";
import type { Move, OpenMigration, Plan, Skip, Snapshot } from "./types.js";

/** A moment of the fleet, and what the policies make of its nodes just then. */
export interface Moment extends Pick<Plan, "verdicts"> {
  readonly snapshot: Snapshot;
  readonly config: PolicyConfig;
  readonly now: number;
}

type Wanted = Pick<Move, "workload" | "from" | "to" | "reason">;

/**
 * Looks again at a planned move just before it is begun, at a fresh moment: whether it is still safe, and whether its reason
 * still holds. Null: go on. Its own migration may be open already, and those of all that move as one with it; that is not held against it.
 */
export function whyNoLongerWanted(moment: Moment, move: Wanted): Skip | null {
  const { snapshot, config, now } = moment;
  const { from, to } = move;
  const group = snapshot.workloads.find(({ id }) => id === move.workload)?.constraints.group;
  const company = new Set(group ? snapshot.workloads.flatMap(({ id, constraints }) => (constraints.group === group ? [id] : [])) : []);
  const isOwn = (open: OpenMigration) =>
    open.workload === move.workload || (company.has(open.workload) && open.from === from && open.to === to);
  const migrations = snapshot.migrations.filter((open) => !isOwn(open));
  const others: Snapshot = { ...snapshot, migrations };
  const skip = (because: string): Skip => ({ workload: move.workload, from: move.from, to: move.to, reason: "not-needed", because });
  const workload = others.workloads.find(({ id }) => id === move.workload);
  if (workload && workload.node !== move.from) return skip(`It is on ${workload.node} by now.`);
  const unsafe = whyUnsafe(others, config, now, move.workload, move.to);
  if (unsafe !== null) return unsafe;
  const gone = whyReasonGone(moment, move);
  return gone === null ? null : skip(gone);
}

/** The same for a move under way, whose room is taken already: only whether there is still a reason for it. */
export function whyReasonGone({ snapshot, config, verdicts }: Moment, move: Wanted): string | null {
  // Room is made on other nodes too: as long as any drain or evacuation goes on, the move may serve it.
  if (move.reason === "maintenance") {
    return snapshot.nodes.some(({ maintenance }) => maintenance !== null)
      ? null
      : `Neither ${move.from} nor any other node is under maintenance now.`;
  }
  if (move.reason === "health") {
    const { health } = completeConfig(config);
    return snapshot.nodes.some((state) => whyEvacuated({ state }, health)) ? null : "No node shows signs of failing any more.";
  }
  if (isSwitchedOff(move.reason, completeConfig(config))) return `What it was planned for (${move.reason}) is switched off.`;
  if (move.reason === "room") return verdicts.some(isMaybeHot) ? null : "No node is overloaded any more.";
  if (move.reason !== "overload") return null;
  const verdict = verdicts.find(({ node }) => node === move.from)?.verdict;
  // While it warms or settles nothing is proved; only a level node is relieved.
  return verdict === "level" ? `${move.from} is no longer overloaded.` : null;
}

/** A suspect may be overloaded as well. */
function isMaybeHot({ verdict }: Plan["verdicts"][number]): boolean {
  return verdict === "overloaded" || verdict === "warming" || verdict === "suspect";
}

function isSwitchedOff(reason: Move["reason"], { overload, balance, consolidate, placement, example }: CompleteConfig): boolean {
  switch (reason) {
    case "overload":
      return !overload.enabled;
    case "room":
      return !overload.enabled || overload.makeRoom === false;
    case "balance":
      return !balance.enabled;
    case "consolidate":
      return !consolidate.enabled;
    case "placement":
      return !placement.repair && !example.enabled;
    default:
      return false;
  }
}
