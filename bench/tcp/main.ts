import { cpus, loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import { startFleet } from "../../lab/fleet/fleet.js";
import { nowSeconds } from "../../platform/clock.js";
import { leave } from "../../platform/leave.js";
import { HOLDER_PORT, holderWorkload } from "../blackout/holder.js";
import { move } from "../blackout/move.js";
import { observe } from "../blackout/observe.js";
import { tell, tellStep } from "../tell.js";
import { summarise, tcpTable } from "./report.js";

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number above 0 is needed");
  return value;
}

const options = new Command("bench:tcp")
  .description(
    "Moves a workload there and back while a client talks over many TCP connections at once, each opened once, and checks every byte and the\ncount of answers on each. Brings up two Docker hosts on this machine for the time of the run. Needs root.",
  )
  .option("--connections <n>", "open connections, all in use", positive, 1000)
  .option("--moves <n>", "moves, back and forth", positive, 2)
  .option("--pause-ms <n>", "pause of each connection between an answer and its next request", positive, 500)
  .option("--mode <mode>", "mode asked for", "auto")
  .option("--no-hold", "let packets be lost in the blackout instead of holding them (executor.holdPackets)")
  .option("--json", "print JSON instead of a table", false)
  .addHelpText("after", "\nExit codes: 0 no connection was reset and no byte wrong, 1 otherwise, 2 wrong usage, 130 interrupted.")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ connections: number; moves: number; pauseMs: number; mode: string; hold: boolean; json: boolean }>();

/** The workload's memory; what is measured are its sockets. */
const SIZE_MIB = 64;
/** So that each connection has been used before, between and after the moves. */
const restMs = Math.max(3000, 3 * options.pauseMs);

const loadBefore = loadavg()[0] ?? 0;
const size = { cpuCores: cpus().length, memoryBytes: 4 * 2 ** 30 };
const fleet = await startFleet({
  name: "bench-tcp",
  nodes: ["node1", "node2"].map((name) => ({ name, ...size })),
  withScheduler: false,
  withPrometheus: false,
  executor: { holdPackets: options.hold },
  onProgress: tellStep,
});
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    interrupted = true;
    tell("taking everything down");
    void fleet.close().finally(() => leave(130));
  });
}

let leftovers: string[] = [];
try {
  const workload = holderWorkload(SIZE_MIB);
  let [from, to] = ["node1", "node2"];
  await fleet.runWorkload(workload, from);
  tell(`opening ${options.connections} connections`);
  const observer = await observe(fleet.lab, { address: workload.address, port: HOLDER_PORT, ...options });
  const moves: { blackoutSeconds: number; gapSeconds: number }[] = [];
  for (let done = 0; done < options.moves; done++) {
    await pause(restMs);
    const since = nowSeconds();
    const record = await move(fleet, workload.name, { from, to, mode: options.mode });
    // Connections whose packets were lost hear again with their next retransmission.
    await pause(restMs);
    const seen = await observer.between(since, nowSeconds());
    moves.push({ blackoutSeconds: record.blackoutSeconds ?? Number.NaN, gapSeconds: seen.gapSeconds });
    tell(`move ${done + 1}: blackout ${moves.at(-1)!.blackoutSeconds.toFixed(3)} s, longest gap ${seen.gapSeconds.toFixed(3)} s`);
    [from, to] = [to, from];
  }
  const seen = await observer.stop();
  leftovers = await fleet.close();
  const machine = { cores: cpus().length, loadBefore, loadAfter: loadavg()[0] ?? 0 };
  const result = { machine, holdPackets: options.hold, ...summarise(seen, moves), leftovers };
  process.stdout.write(`${options.json ? JSON.stringify(result) : tcpTable(result)}\n`);
  process.exitCode = result.resets === 0 && result.wrongBytes === 0 && leftovers.length === 0 ? 0 : 1;
} catch (error) {
  if (!interrupted) {
    await fleet.close();
    tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  }
}
if (!interrupted) leave();
