import { Command, Option } from "commander";
import { interquartileRange, localRegression, staticThreshold } from "./baselines/detect.js";
import { heuristic } from "./baselines/heuristic.js";
import { engineConfig, type MeasuredPolicy, readGiven } from "./engine-config.js";
import { enginePolicy } from "./engine-policy.js";
import { scoreTable } from "./report.js";
import { simulate } from "./simulate.js";
import { readTraces } from "./trace.js";

interface Options {
  readonly trace: string;
  readonly policy: MeasuredPolicy;
  readonly policies?: string;
  readonly keepIdle: boolean;
  readonly json: boolean;
}

const options = new Command("bench:planetlab")
  .description("One day of PlanetLab traces under Evenkeel and under three baselines of the literature, side by side")
  .requiredOption("--trace <dir>", "directory that holds one day of traces, one file a VM")
  .addOption(
    new Option(
      "--policy <policy>",
      "what Evenkeel does besides keeping hosts from overload: empty hosts and switch them off, or level them",
    )
      .choices(["consolidate", "balance"])
      .default("consolidate"),
  )
  .option("--policies <file>", "settings of Evenkeel's policies that differ from the defaults, as JSON")
  .option("--keep-idle", "VMs that ask for nothing stay; CloudSim lets them leave for good", false)
  .option("--json", "print JSON instead of a table", false)
  .parse()
  .opts<Options>();

const traces = await readTraces(options.trace);
const policies = [
  heuristic("thr-mmt-0.8", staticThreshold(0.8)),
  heuristic("iqr-mmt-1.5", interquartileRange(1.5)),
  heuristic("lr-mmt-1.2", localRegression(1.2)),
  enginePolicy(`evenkeel-${options.policy}`, engineConfig(options.policy, await readGiven(options.policies))),
];
const scores = Object.fromEntries(policies.map((policy) => [policy.name, simulate(traces, policy, { keepIdle: options.keepIdle })]));
process.stdout.write(`${options.json ? JSON.stringify(scores) : scoreTable(scores)}\n`);
