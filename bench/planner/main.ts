import { Command, InvalidArgumentError } from "commander";
import type { PolicyConfig } from "../../policies/config.js";
import { generateCluster } from "./cluster.js";
import { COSTS_NOT_WEIGHED, runDecide, SHIPPED } from "./decide.js";
import { runEvenkeel } from "./evenkeel.js";
import { fetchHbal } from "./fetch-hbal.js";
import { HbalMissingError, type HbalRun, runHbal } from "./hbal.js";
import { type Judgement, judge } from "./judge.js";
import { comparisonTable } from "./report.js";

interface Options {
  readonly nodes: number;
  readonly workloads: number;
  readonly seed: number;
  /** Undefined: the one in the cache, fetched if need be. `--no-hbal` makes it false. */
  readonly hbal?: string | false;
  readonly hbalSeconds: number;
  readonly decideSeconds: number;
  readonly maxMoves?: number;
  readonly proposals?: number;
  readonly repeat: number;
  readonly json: boolean;
}

const command = new Command("bench:planner")
  .description("Evenkeel's search, its decisions and Ganeti's hbal on the same generated cluster, judged by the same measures")
  .requiredOption("--nodes <n>", "nodes of the cluster", positive)
  .requiredOption("--workloads <n>", "workloads of the cluster", positive)
  .option("--seed <n>", "which cluster, and the search's own seed", positive, 1)
  .option("--hbal <path>", "hbal; default: Debian's, fetched into the cache and not installed")
  .option("--no-hbal", "plan with Evenkeel alone")
  .option("--decide-seconds <n>", "time after which the scheduler's decisions are asked for no further plan", positive, 60)
  .option("--hbal-seconds <n>", "time after which hbal is stopped; what it found by then counts", positive, 60)
  .option("--max-moves <n>", "moves allowed; default: as many as hbal makes", positive)
  .option("--proposals <n>", "search effort; default: by the size of the cluster", positive)
  .option("--repeat <n>", "plans made at most; the time is the median of all but the first, which is told apart", positive, 21)
  .option("--json", "print JSON instead of a table", false)
  .parse();
const options = command.opts<Options>();

/** Enough for small clusters, and no more than seconds for the largest. */
const LEAST_PROPOSALS = 40_000;
const MOST_PROPOSALS = 500_000;
const PROPOSALS_PER_WORKLOAD = 200;
/** Pairs of node and workload up to which hbal is asked at all. */
const HBAL_PAIRS = 2_000_000;
/** No further plan is made for the median after this long. */
const REPEAT_SECONDS = 5;

const cluster = generateCluster(options.nodes, options.workloads, options.seed);
const { nodes, workloads, seed } = options;
const hbal = await measureHbal();
// Stopped before its first step, hbal sets no measure for the number of moves.
const maxMoves = options.maxMoves ?? (typeof hbal === "string" || hbal.moves === 0 ? workloads : hbal.moves);
const evenkeel = measureEvenkeel(maxMoves);
const beside = typeof hbal === "string" ? { hbal: null, hbalSkipped: hbal } : { hbal, evenkeelUnlimited: measureEvenkeel(workloads) };
const decided = { decide: measureDecide(SHIPPED), decideCostNotWeighed: measureDecide(COSTS_NOT_WEIGHED) };
const result = { nodes, workloads, seed, initial: judge(cluster, []), evenkeel, ...decided, ...beside };
process.stdout.write(`${options.json ? JSON.stringify(result) : comparisonTable(result)}\n`);

/** What hbal did, or why it was not asked. */
async function measureHbal(): Promise<(Judgement & Pick<HbalRun, "seconds" | "finished">) | string> {
  if (options.hbal === false) return "left out by --no-hbal";
  if (nodes * workloads > HBAL_PAIRS) return `hbal makes no step in any useful time with ${nodes} nodes and ${workloads} workloads`;
  const found = options.hbal === undefined ? await fetchHbal().catch((error: Error) => error) : { path: options.hbal };
  if (found instanceof Error) {
    process.stderr.write(`hbal cannot be had: ${found.message}\n`);
    return found.message;
  }
  try {
    const run = await runHbal(cluster, { ...found, maxMoves: options.maxMoves ?? null, maxSeconds: options.hbalSeconds });
    return { ...judge(cluster, run.steps), seconds: run.seconds, finished: run.finished };
  } catch (error) {
    return error instanceof HbalMissingError ? command.error(error.message) : Promise.reject(error);
  }
}

function measureEvenkeel(maxMoves: number) {
  const wanted = options.proposals ?? options.workloads * PROPOSALS_PER_WORKLOAD;
  const proposals = Math.min(MOST_PROPOSALS, Math.max(LEAST_PROPOSALS, wanted));
  const { steps, ...times } = repeat(() => runEvenkeel(cluster, maxMoves, options.seed, proposals));
  return { ...judge(cluster, steps), ...times };
}

/** As many moves as the policies want, and where they want more than the others made, the first so many of them too. */
function measureDecide(config: PolicyConfig) {
  const { steps, ...times } = repeat(() => runDecide(cluster, config, options.decideSeconds));
  const within = steps.length > maxMoves ? judge(cluster, steps.slice(0, maxMoves)) : null;
  return { ...judge(cluster, steps), ...times, within };
}

/** The same again and again, for the time's median; what the first one took is told apart. */
function repeat<T extends { readonly seconds: number; readonly cpuSeconds: number }>(run: () => T) {
  const { seconds: firstSeconds, cpuSeconds: firstCpuSeconds, ...first } = run();
  const later: number[] = [];
  for (let spent = firstSeconds; later.length < options.repeat - 1 && spent < REPEAT_SECONDS; spent += later.at(-1) as number) {
    later.push(run().seconds);
  }
  const seconds = later.sort((a, b) => a - b)[later.length >> 1] ?? firstSeconds;
  return { ...first, seconds, firstSeconds, firstCpuSeconds };
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number above 0 is needed");
  return value;
}
