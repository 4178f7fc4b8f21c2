import type { Replay } from "../../record/replay.js";
import type { Output } from "../output.js";
import { plural } from "../words.js";

export function printReplay(replay: Replay, names: ReadonlyMap<string, string>, output: Output): void {
  const { snapshots, seconds, moves, power, asleepSeconds, movesByReason, overloadSeconds, overloadSecondsWithoutMoves } = replay;
  const reasons = Object.entries(movesByReason).map(([reason, count]) => `${count} ${reason}`);
  output.line(`${plural(snapshots, "snapshot")} of ${Math.round(seconds)} s replayed as mode auto would have it.`);
  output.line(`${plural(moves.length, "move")}${reasons.length === 0 ? "" : ` (${reasons.join(", ")})`}`);
  output.line(
    `Nodes overloaded for ${Math.round(overloadSeconds)} s in all; without any move for ${Math.round(overloadSecondsWithoutMoves)} s.`,
  );
  output.line(`Moved again within the cool-down: ${replay.movedAgainInCooldown}. Moved back within an hour: ${replay.pingPongs}.`);
  if (power.length + asleepSeconds > 0) {
    const [slept, woken] = (["sleep", "wake"] as const).map((wanted) => power.filter(({ to }) => to === wanted).length);
    output.line(`Nodes asleep for ${Math.round(asleepSeconds)} s in all: put to sleep ${slept} times, woken ${woken} times.`);
  }
  if (moves.length === 0) return;
  output.line();
  output.table(
    ["AT", "MOVE", "FROM", "TO", "FOR", "BECAUSE"],
    moves.map(({ at, workload, from, to, reason, because }) => [
      new Date(at * 1000).toISOString(),
      names.get(workload) ?? workload,
      from,
      to,
      reason,
      because,
    ]),
  );
}
