import { levelFleet } from "../../policies/level/level-fleet.js";
import type { Snapshot } from "../../policies/types.js";
import type { Step } from "./judge.js";
import { toModel } from "./to-model.js";

export interface EvenkeelRun {
  readonly steps: readonly Step[];
  readonly seconds: number;
  /** Of all threads: what it would have taken at most, had the machine been free. */
  readonly cpuSeconds: number;
}

/** Beyond what a move costs by itself. */
const MIN_GAIN = 0.01;

/**
 * The search that the policy `balance` asks for suggestions, by itself: on a model of this benchmark's own, without any of what `decide` weighs
 * besides. From the snapshot to the moves in order: the model, the search, the order.
 */
export function runEvenkeel(snapshot: Snapshot, maxMoves: number, seed: number, proposals: number): EvenkeelRun {
  const started = performance.now();
  const cpuAtStart = process.cpuUsage();
  const moves = levelFleet(toModel(snapshot), { seed, maxMoves, minGain: MIN_GAIN, proposals });
  const steps = moves.map((move) => ({
    workload: (snapshot.workloads[move.workload] as { id: string }).id,
    to: (snapshot.nodes[move.to] as { id: string }).id,
  }));
  const cpu = process.cpuUsage(cpuAtStart);
  return { steps, seconds: (performance.now() - started) / 1000, cpuSeconds: (cpu.user + cpu.system) / 1_000_000 };
}
