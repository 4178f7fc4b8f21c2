import type { Machine } from "../../lab/machine.js";
import { type Spread, spread } from "./statistics.js";

export interface FloorRun {
  readonly checkpointSeconds: number;
  readonly restoreSeconds: number;
}

export interface FloorCase {
  readonly runs: number;
  readonly checkpointSeconds: Spread;
  readonly restoreSeconds: Spread;
  /** Both together: what no mover that uses these tools as they are can be below. */
  readonly seconds: Spread;
}

/** Hides what an executor on that machine has told CRIU. */
const UNCONFIGURED = "[ ! -e /etc/criu/runc.conf ] || mount --bind /dev/null /etc/criu/runc.conf";

/** Bare `runc checkpoint` and `runc restore` of an empty container, as on a machine that no Evenkeel has set up. */
export async function runFloor(machine: Machine, runs: number): Promise<FloorRun[]> {
  const floor = ["/opt/evenkeel/bench/blackout/programs/floor.sh", String(runs)];
  const { stdout } = await machine.exec(["unshare", "--mount", "sh", "-c", `${UNCONFIGURED}; exec "$@"`, "sh", ...floor]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number) as [number, number])
    .map(([checkpointSeconds, restoreSeconds]) => ({ checkpointSeconds, restoreSeconds }));
}

export function summariseFloor(runs: readonly FloorRun[]): FloorCase {
  return {
    runs: runs.length,
    checkpointSeconds: spread(runs.map((run) => run.checkpointSeconds)),
    restoreSeconds: spread(runs.map((run) => run.restoreSeconds)),
    seconds: spread(runs.map((run) => run.checkpointSeconds + run.restoreSeconds)),
  };
}
