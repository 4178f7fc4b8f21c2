import { writeFile } from "node:fs/promises";
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { buildRoot } from "../../lab/root-file-system.js";
import { LAB_PACKAGES } from "../../lab/root-recipe.js";
import { leave } from "../../platform/leave.js";
import type { ScaleResult } from "./measure.js";

const options = new Command("bench:scale")
  .description("The real scheduler over a real redis-server that simulated nodes fill, in the collectors' own wire format")
  .requiredOption("--nodes <n,…>", "nodes of the fleet; several sizes are run one after another", positives)
  .requiredOption("--workloads <n,…>", "workloads of the fleet, for each number of nodes", positives)
  .option("--seconds <n>", "measured time", positive, 60)
  .option("--warm-up-ticks <n>", "ticks before anything counts", positive, 5)
  .option("--interval-seconds <n>", "from one sample of a node to the next", positive, 5)
  .option("--tick-seconds <n>", "from the end of one look at the fleet to the next", positive, 5)
  .option("--core <n>", "the one core the scheduler may use (needs taskset)", Number)
  .option("--profile <folder>", "where the scheduler's CPU profile goes")
  .option("--out <file>", "write the JSON there too")
  .option("--json", "print JSON instead of a table", false)
  .addHelpText("after", "\nExample:\n  node dist/bench/scale/main.js --nodes 1000 --workloads 50000 --json")
  .parse()
  .opts<Options>();

interface Options {
  readonly nodes: readonly number[];
  readonly workloads: readonly number[];
  readonly seconds: number;
  readonly warmUpTicks: number;
  readonly intervalSeconds: number;
  readonly tickSeconds: number;
  readonly core?: number;
  readonly profile?: string;
  readonly out?: string;
  readonly json: boolean;
}

// The lab's redis-server, where the host has none of its own; known before what looks for it is loaded.
process.env["EVENKEEL_LAB_ROOT"] ??= await buildRoot("lab", LAB_PACKAGES);
const { measureScale } = await import("./measure.js");
const results: ScaleResult[] = [];
for (const [index, nodes] of options.nodes.entries()) {
  const workloads = options.workloads[index] ?? options.workloads.at(-1)!;
  const { seconds, warmUpTicks, intervalSeconds, tickSeconds, core = null, profile: profileFolder = null } = options;
  results.push(await measureScale({ nodes, workloads, seconds, warmUpTicks, intervalSeconds, tickSeconds, core, profileFolder }));
}
const answer = JSON.stringify(results.length === 1 ? results[0] : results, null, 2);
if (options.out !== undefined) await writeFile(options.out, `${answer}\n`);
process.stdout.write(`${options.json ? answer : table(results)}\n`);
leave();

function table(rows: readonly ScaleResult[]): string {
  const made = new Table({
    head: ["nodes", "workloads", "tick p50 s", "tick p99 s", "its CPU s", "decided in s (p99)", "scheduler CPU", "RSS MB", "Redis MB"],
    style: { head: [], border: [], compact: true },
  });
  const fixed = (value: number | null) => value?.toFixed(3) ?? "";
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  for (const row of rows) {
    made.push([
      row.nodes,
      row.workloads,
      fixed(row.tickSecondsP50),
      fixed(row.tickSecondsP99),
      fixed(row.tickCpuSecondsP50),
      fixed(row.sampleToDecisionSecondsP99),
      fixed(row.schedulerCpuRatio),
      megabytes(row.schedulerRssBytes),
      megabytes(row.redisBytes),
    ]);
  }
  return made.toString();
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number above 0 is needed");
  return value;
}

function positives(text: string): number[] {
  return text.split(",").map(positive);
}
