import { readFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import { readStats } from "../../executor/engine/docker/criu-stats.js";
import type { LabNode } from "../../lab/docker-host.js";
import { startFleet } from "../../lab/fleet/fleet.js";
import { leave } from "../../platform/leave.js";
import { accountOf, type FreezeAccount } from "./freeze-account.js";
import { HOLDER_PORT, holderWorkload } from "./holder.js";
import { move } from "./move.js";
import { observe } from "./observe.js";
import { spread } from "./statistics.js";
import { watchLogs } from "./watch-logs.js";

function wholes(text: string): number[] {
  const values = text.split(",").map(Number);
  if (values.some((value) => !Number.isInteger(value) || value < 1)) throw new InvalidArgumentError("whole numbers above 0 are needed");
  return values;
}

const options = new Command("freeze")
  .description(
    "Where the time of a freeze goes, from the record, the executors' logs and CRIU's. Prints JSON for draw-freeze.js. Needs root.",
  )
  .option("--sizes <MiB,…>", "memory of the workload", wholes, [64])
  .option("--mode <mode>", "mode asked for", "auto")
  .option("--runs <n>", "moves of each size; medians are told", (text) => wholes(text)[0] as number, 5)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ sizes: number[]; mode: string; runs: number }>();

const REST_MS = 1500;
const GIBIBYTE = 2 ** 30;

const loadBefore = loadavg()[0] ?? 0;
const fleet = await startFleet({
  name: "freeze",
  nodes: ["node1", "node2"].map((name) => ({
    name,
    cpuCores: cpus().length,
    memoryBytes: Math.ceil((Math.max(...options.sizes) / 1024) * 2.2 + 2) * GIBIBYTE,
  })),
  withScheduler: false,
  withPrometheus: false,
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void fleet.close().finally(() => leave(130)));

try {
  const accounts: FreezeAccount[] = [];
  for (const sizeMiB of options.sizes) accounts.push(await measure(sizeMiB));
  process.stdout.write(
    `${JSON.stringify({ mode: options.mode, cores: cpus().length, loadBefore, loadAfter: loadavg()[0], accounts }, null, 1)}\n`,
  );
} finally {
  await fleet.close();
}
leave();

async function measure(sizeMiB: number): Promise<FreezeAccount> {
  const workload = holderWorkload(sizeMiB);
  let [from, to] = fleet.lab.nodes as unknown as [LabNode, LabNode];
  await fleet.runWorkload(workload, from.name);
  const observer = await observe(fleet.lab, { address: workload.address, port: HOLDER_PORT });
  const runs: Pick<FreezeAccount, "blackoutSeconds" | "stretches" | "criu">[] = [];
  // The first move brings the image.
  for (let run = 0; run <= options.runs; run++) {
    await pause(REST_MS);
    const logs = watchLogs([from, to]);
    const record = await move(fleet, workload.name, { from: from.name, to: to.name, mode: options.mode });
    const { dump, dumpStats, restoreStats } = await logs.stop();
    if (run > 0)
      runs.push({
        blackoutSeconds: record.blackoutSeconds ?? 0,
        stretches: accountOf(record, await readTimeline(from, record.id), dump),
        criu: { ...readStats(dumpStats), ...readStats(restoreStats) },
      });
    process.stderr.write(`${sizeMiB} MiB run ${run}: ${record.blackoutSeconds?.toFixed(3)} s\n`);
    [from, to] = [to, from];
  }
  await observer.stop();
  await from.docker.getContainer(workload.name).remove({ force: true });
  const first = runs[0] as (typeof runs)[0];
  return {
    sizeMiB,
    runs: runs.length,
    blackoutSeconds: spread(runs.map((run) => run.blackoutSeconds)).median,
    stretches: first.stretches.map(({ what, by }) => ({
      what,
      by,
      seconds: spread(runs.flatMap((run) => run.stretches.filter((each) => each.what === what).map((each) => each.seconds))).median,
    })),
    criu: Object.fromEntries(Object.keys(first.criu).map((name) => [name, spread(runs.map((run) => run.criu[name] ?? 0)).median])),
  };
}

/** The destination's timeline, which the source's executor logs. */
async function readTimeline(node: LabNode, id: string): Promise<Record<string, number>> {
  const log = await readFile(join(node.folder, "log", "executor.log"), "utf8");
  const line = log.split("\n").find((each) => each.includes(id) && each.includes('"timeline"'));
  return (JSON.parse(line ?? '{"timeline":{}}') as { timeline: Record<string, number> }).timeline;
}
