import { Command, Option } from "commander";
import { BENCH_CONFIG as BALANCE_CONFIG, balancePolicy } from "./balance-policy.js";
import { interquartileRange, localRegression, staticThreshold } from "./baselines/detect.js";
import { heuristic } from "./baselines/heuristic.js";
import { BENCH_CONFIG as CONSOLIDATE_CONFIG, consolidatePolicy } from "./consolidate-policy.js";
import { scoreTable } from "./report.js";
import { simulate } from "./simulate.js";
import { readTraces } from "./trace.js";

interface Options {
  readonly trace: string;
  readonly policy: "consolidate" | "balance";
  readonly keepIdle: boolean;
  readonly json: boolean;
}

const options = new Command("bench:planetlab")
  .description("One day of PlanetLab traces under Evenkeel and under three baselines of the literature, side by side")
  .requiredOption("--trace <dir>", "directory that holds one day of traces, one file a VM")
  .addOption(new Option("--policy <policy>", "which of Evenkeel's policies").choices(["consolidate", "balance"]).default("consolidate"))
  .option("--keep-idle", "VMs that ask for nothing stay; CloudSim lets them leave for good", false)
  .option("--json", "print JSON instead of a table", false)
  .parse()
  .opts<Options>();

const traces = await readTraces(options.trace);
const policies = [
  heuristic("thr-mmt-0.8", staticThreshold(0.8)),
  heuristic("iqr-mmt-1.5", interquartileRange(1.5)),
  heuristic("lr-mmt-1.2", localRegression(1.2)),
  options.policy === "consolidate" ? consolidatePolicy(CONSOLIDATE_CONFIG) : balancePolicy(BALANCE_CONFIG),
];
const scores = Object.fromEntries(policies.map((policy) => [policy.name, simulate(traces, policy, { keepIdle: options.keepIdle })]));
process.stdout.write(`${options.json ? JSON.stringify(scores) : scoreTable(scores)}\n`);
