import { Command, InvalidArgumentError } from "commander";
import { generateCluster } from "./cluster.js";
import { runEvenkeel } from "./evenkeel.js";
import { type HbalRun, runHbal } from "./hbal.js";
import { judge } from "./judge.js";
import { comparisonTable } from "./report.js";

interface Options {
  readonly nodes: number;
  readonly workloads: number;
  readonly seed: number;
  /** `--no-hbal` makes it false. */
  readonly hbal: string | false;
  readonly hbalSeconds: number;
  readonly maxMoves?: number;
  readonly proposals?: number;
  readonly repeat: number;
  readonly json: boolean;
}

const options = new Command("bench:planner")
  .description("Evenkeel's planner and Ganeti's hbal on the same generated cluster, judged by the same measures")
  .requiredOption("--nodes <n>", "nodes of the cluster", positive)
  .requiredOption("--workloads <n>", "workloads of the cluster", positive)
  .option("--seed <n>", "which cluster, and the planner's own seed", positive, 1)
  .option("--hbal <path>", "hbal, of Debian's package ganeti-htools", "hbal")
  .option("--no-hbal", "plan with Evenkeel alone")
  .option("--hbal-seconds <n>", "time after which hbal is stopped; what it found by then counts", positive, 60)
  .option("--max-moves <n>", "moves allowed to both; default: as many as hbal makes", positive)
  .option("--proposals <n>", "search effort; default: by the size of the cluster", positive)
  .option("--repeat <n>", "plans made; the time is the median of all but the first, which is told apart", positive, 9)
  .option("--json", "print JSON instead of a table", false)
  .parse()
  .opts<Options>();

/** Enough for small clusters, and no more than seconds for the largest. */
const LEAST_PROPOSALS = 40_000;
const MOST_PROPOSALS = 1_000_000;
const PROPOSALS_PER_WORKLOAD = 200;

const cluster = generateCluster(options.nodes, options.workloads, options.seed);
const hbal = options.hbal === false ? null : await measureHbal(options.hbal);
const { nodes, workloads, seed } = options;
const maxMoves = options.maxMoves ?? hbal?.moves ?? workloads;
const evenkeel = measureEvenkeel(maxMoves);
const beside = hbal === null ? {} : { hbal, evenkeelUnlimited: measureEvenkeel(workloads) };
const result = { nodes, workloads, seed, initial: judge(cluster, []), evenkeel, ...beside };
process.stdout.write(`${options.json ? JSON.stringify(result) : comparisonTable(result)}\n`);

async function measureHbal(path: string) {
  const run: HbalRun = await runHbal(cluster, { path, maxMoves: options.maxMoves ?? null, maxSeconds: options.hbalSeconds });
  return { ...judge(cluster, run.steps), seconds: run.seconds, finished: run.finished };
}

function measureEvenkeel(maxMoves: number) {
  const wanted = options.proposals ?? options.workloads * PROPOSALS_PER_WORKLOAD;
  const proposals = Math.min(MOST_PROPOSALS, Math.max(LEAST_PROPOSALS, wanted));
  const runs = Array.from({ length: options.repeat }, () => runEvenkeel(cluster, maxMoves, options.seed, proposals));
  const [first, ...later] = runs.map((run) => run.seconds) as [number, ...number[]];
  const seconds = later.length === 0 ? first : (later.sort((a, b) => a - b)[later.length >> 1] as number);
  return { ...judge(cluster, (runs[0] as (typeof runs)[0]).steps), seconds, firstSeconds: first };
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number above 0 is needed");
  return value;
}
