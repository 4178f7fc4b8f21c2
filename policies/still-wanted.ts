import { canMove } from "./can-move.js";
import { completeConfig, type PolicyConfig } from "./config.js";
import { decide } from "./decide.js";
import { indexFleet, type NodeView } from "./fleet.js";
import { whyEvacuated } from "./health/judge.js";
import type { Move, Skip, Snapshot } from "./types.js";

/**
 * Looks again at a planned move just before it is begun, on a fresh snapshot: whether it is still safe, and whether its reason
 * still holds. Null: go on. Its own migration may be open already; that is not held against it.
 */
export function whyNoLongerWanted(snapshot: Snapshot, config: PolicyConfig, now: number, move: Move): Skip | null {
  const migrations = snapshot.migrations.filter(({ workload }) => workload !== move.workload);
  const others: Snapshot = { ...snapshot, migrations };
  const skip = (because: string): Skip => ({ workload: move.workload, from: move.from, to: move.to, reason: "not-needed", because });
  const { nodeById, workloadById } = indexFleet(others);
  const workload = workloadById.get(move.workload);
  if (workload && workload.node !== move.from) return skip(`It is on ${workload.node} by now.`);
  const unsafe = canMove(others, config, now, move.workload, move.to);
  if (unsafe !== null) return unsafe;
  const source = nodeById.get(move.from);
  const gone = source ? whyReasonGone(source, others, config, now, move) : null;
  return gone === null ? null : skip(gone);
}

function whyReasonGone(source: NodeView, snapshot: Snapshot, config: PolicyConfig, now: number, move: Move): string | null {
  // Room is made on other nodes too: as long as any drain or evacuation goes on, the move may serve it.
  if (move.reason === "maintenance") {
    return snapshot.nodes.some(({ maintenance }) => maintenance !== null)
      ? null
      : `Neither ${source.id} nor any other node is under maintenance now.`;
  }
  if (move.reason === "health") {
    const { health } = completeConfig(config);
    return indexFleet(snapshot).nodes.some((node) => whyEvacuated(node, health)) ? null : "No node shows signs of failing any more.";
  }
  if (move.reason !== "overload") return null;
  const verdict = decide(snapshot, config, now).verdicts.find(({ node }) => node === source.id)?.verdict;
  // While it warms or settles nothing is proved; only a level node is relieved.
  return verdict === "level" ? `${source.id} is no longer overloaded.` : null;
}
