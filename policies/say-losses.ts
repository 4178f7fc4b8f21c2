import type { Move, Snapshot } from "./types.js";

/** A cold move costs its users more than a pause, and whoever reads why it is made reads that too. */
const COLD = "It is stopped and started again: its connections and memory are lost.";

export function sayLosses(moves: readonly Move[], { workloads }: Snapshot): readonly Move[] {
  const cold = new Set(workloads.filter(({ constraints }) => constraints.mode === "cold").map(({ id }) => id));
  return moves.map((move) => (cold.has(move.workload) ? { ...move, because: `${move.because} ${COLD}` } : move));
}
