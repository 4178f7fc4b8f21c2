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

/** One plan from a snapshot, everything included that a scheduler would do: the model, the search, the order of the moves. */
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
