import type { Move, Snapshot, WorkloadState } from "./types.js";

const COLD = "It is stopped and started again: its connections and memory are lost.";
const PERHAPS_COLD = "If CRIU refuses it, it is stopped and started again: its connections and memory are lost then.";

/** A move that costs its users more than a pause says so: whoever reads why it is made reads that too. */
export function sayLosses(moves: readonly Move[], snapshot: Pick<Snapshot, "workloads">): readonly Move[] {
  if (moves.length === 0) return moves;
  const losses = lossesIn(snapshot);
  return moves.map((move) => {
    const said = losses.get(move.workload);
    return said === undefined ? move : { ...move, because: `${move.because} ${said}` };
  });
}

/** What a move would cost the users of each workload beyond a pause, by its id; absent = nothing that its owner has allowed. */
export function lossesIn({ workloads }: Pick<Snapshot, "workloads">): ReadonlyMap<string, string> {
  const closing = workloads.filter(({ constraints, networks }) => constraints.closesConnections && networks?.every(isNone) !== true);
  const ids = new Set(closing.map(({ id }) => id));
  const groups = new Set(closing.flatMap((workload) => (workload.constraints.group ? [groupOf(workload)] : [])));
  // One that has joined another's network is on none by itself, and its connections go the way of the other's.
  const isClosed = (workload: WorkloadState) => ids.has(workload.id) || (workload.networks?.length === 0 && groups.has(groupOf(workload)));
  const losses = new Map<string, string>();
  for (const workload of workloads) {
    const { mode, mayGoCold } = workload.constraints;
    const said = mode === "cold" ? [COLD] : mayGoCold ? [PERHAPS_COLD] : [];
    // Of its networks only the names are known here, not which of them end there.
    if (mode !== "cold" && isClosed(workload)) said.push(`Its connections over networks that end at ${workload.node} are closed.`);
    if (said.length > 0) losses.set(workload.id, said.join(" "));
  }
  return losses;
}

const isNone = (network: string) => network === "none";
const groupOf = ({ node, constraints }: WorkloadState) => `${node} ${constraints.group}`;
