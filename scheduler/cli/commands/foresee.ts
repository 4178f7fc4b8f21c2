import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { Command } from "commander";
import { EvenkeelError } from "../../../platform/errors.js";
import type { PolicyConfig } from "../../../policies/config.js";
import type { Snapshot } from "../../../policies/types.js";
import { findStranger } from "../../../policies/what-if/imagine.js";
import type { Answers, SnapshotAnswer } from "../../api-shapes.js";
import { type Foresight, foreseeChange } from "../../foresight.js";
import { parsePolicyConfig, readPolicyConfig } from "../../policy-config.js";
import { replay } from "../../record/replay.js";
import { readTrace } from "../../record/trace.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { percent, plural } from "../words.js";
import { paintState } from "./nodes.js";
import { printReplay } from "./print-replay.js";

interface ChangeOptions extends CommonOptions {
  readonly drain?: string;
  readonly lose?: string;
  readonly add?: string;
}

interface SimulateOptions extends ChangeOptions {
  readonly config?: string;
}

const TRACE_BEGIN = '{"snapshot":';

const withChangeOptions = (command: Command) =>
  command
    .option("--drain <nodes>", "these nodes, comma separated, are put under maintenance")
    .option("--lose <names>", "these nodes, or all nodes of these zones, fail")
    .option("--add <count>", "so many empty nodes more");

export function addWhatIf(program: Command): void {
  const command = program.command("what-if").description("what Evenkeel would do if …; nothing is changed");
  withChangeOptions(withCommonOptions(command))
    .addHelpText("after", "\nExamples:\n  evenkeel what-if --drain n1,n2\n  evenkeel what-if --lose zone-a --add 2")
    .action((options: ChangeOptions) =>
      runCommand(options, async ({ api, output }) => {
        const foresight = await api.ask<Foresight>("POST", "/what-if", readChange(options));
        if (output.json) output.answer(foresight);
        else {
          const { workloads } = await api.ask<Answers["workloads"]>("GET", "/workloads");
          printForesight(foresight, new Map(workloads.map(({ id, name }) => [id, name])), output);
        }
        return EXIT.ok;
      }),
    );
}

export function addSnapshot(program: Command): void {
  const command = program.command("snapshot").description("print what decisions are made on, as JSON; `evenkeel simulate` replays it");
  withCommonOptions(command).action((options: CommonOptions) =>
    runCommand(options, async ({ api, output }) => {
      output.answer(await api.ask<SnapshotAnswer>("GET", "/snapshot"));
      return EXIT.ok;
    }),
  );
}

export function addSimulate(program: Command): void {
  const command = program.command("simulate").argument("<file>", "what `evenkeel snapshot` printed or `evenkeel record` wrote");
  withChangeOptions(command)
    .description("decide on a saved snapshot, or replay a recording tick by tick, offline, with the same code")
    .option("--config <file>", "a configuration whose `policies` are used instead of the saved ones")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  evenkeel simulate fleet.json --lose n1\n  evenkeel simulate monday.jsonl --config new.json --json",
    )
    .action((file: string, options: SimulateOptions) =>
      runCommand({ json: options.json === true, token: "none" }, async ({ output }) => {
        if (isTrace(file)) {
          await simulateTrace(file, options, output);
          return EXIT.ok;
        }
        const saved = readJson(file) as Partial<SnapshotAnswer> & Partial<Snapshot>;
        const snapshot = checkSnapshot(saved.snapshot ?? saved, file);
        const config = options.config === undefined ? parsePolicyConfig(saved.policies ?? {}) : readSettings(options.config);
        const change = readChange(options);
        const stranger = findStranger(snapshot, change);
        if (stranger !== null) throw new EvenkeelError("NODE_NOT_FOUND", `${stranger}, in ${file}`);
        const foresight = foreseeChange(snapshot, config, change);
        if (output.json) output.answer(foresight);
        else printForesight(foresight, new Map(snapshot.workloads.map(({ id, name }) => [id, name])), output);
        return EXIT.ok;
      }),
    );
}

/** A recording holds a snapshot a line; `evenkeel snapshot` prints one over many lines. */
function isTrace(file: string): boolean {
  const begin = Buffer.alloc(TRACE_BEGIN.length);
  try {
    const descriptor = openSync(file, "r");
    readSync(descriptor, begin);
    closeSync(descriptor);
  } catch (error) {
    throw new EvenkeelError("INPUT_INVALID", `${file}: ${(error as Error).message}`, { cause: error });
  }
  return begin.toString() === TRACE_BEGIN;
}

async function simulateTrace(file: string, options: SimulateOptions, output: Output): Promise<void> {
  if (Object.keys(readChange(options)).length > 0) {
    throw new EvenkeelError("INPUT_INVALID", "--drain, --lose and --add need a snapshot, not a recording");
  }
  const names = new Map<string, string>();
  async function* named() {
    for await (const line of readTrace(file)) {
      for (const { id, name } of line.snapshot.workloads) names.set(id, name);
      yield line;
    }
  }
  const given = options.config === undefined ? null : readSettings(options.config);
  const result = await replay(named(), ({ policies }) => given ?? parsePolicyConfig(policies));
  if (output.json) output.answer(result);
  else printReplay(result, names, output);
}

function readSettings(file: string): PolicyConfig {
  try {
    return readPolicyConfig(readFileSync(file, "utf8"), file);
  } catch (error) {
    if (error instanceof EvenkeelError) throw error;
    throw new EvenkeelError("INPUT_INVALID", `${file}: ${(error as Error).message}`, { cause: error });
  }
}

function readChange({ drain, lose, add }: ChangeOptions) {
  const list = (text: string) => text.split(",").map((name) => name.trim());
  const count = add === undefined ? undefined : Number(add);
  if (count !== undefined && !(Number.isInteger(count) && count >= 0))
    throw new EvenkeelError("INPUT_INVALID", `--add ${add} is not a count`);
  return {
    ...(drain === undefined ? {} : { drain: list(drain) }),
    ...(lose === undefined ? {} : { lose: list(lose) }),
    ...(count === undefined ? {} : { add: count }),
  };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new EvenkeelError("INPUT_INVALID", `${file}: ${(error as Error).message}`, { cause: error });
  }
}

function checkSnapshot(value: Partial<Snapshot>, file: string): Snapshot {
  const isWhole = typeof value.at === "number" && [value.nodes, value.workloads, value.migrations].every(Array.isArray);
  if (!isWhole) throw new EvenkeelError("INPUT_INVALID", `${file} is not what \`evenkeel snapshot\` prints`);
  return value as Snapshot;
}

function printForesight(foresight: Foresight, names: ReadonlyMap<string, string>, output: Output): void {
  const nameOf = (id: string) => names.get(id) ?? id;
  const { moves, woken, skips, verdicts, imbalanceBefore, imbalanceAfter, isAtRest } = foresight;
  output.line(`${plural(moves.length, "move")}, imbalance ${percent(imbalanceBefore)} -> ${percent(imbalanceAfter)}`);
  for (const { because } of woken) output.line(because);
  if (!isAtRest) output.line(output.paint("red", "It does not come to rest."));
  if (moves.length > 0) {
    output.line();
    output.table(
      ["MOVE", "FROM", "TO", "FOR", "BECAUSE"],
      moves.map(({ workload, from, to, reason, because }) => [nameOf(workload), from, to, reason, because]),
    );
  }
  output.line();
  output.table(
    ["NODE", "IN THE END", "BECAUSE"],
    verdicts.map(({ node, verdict, because }) => [node, paintState(verdict, output), because]),
  );
  if (skips.length === 0) return;
  output.line();
  output.table(
    ["STAYS", "ON", "REASON", "BECAUSE"],
    skips.map(({ workload, from, reason, because }) => [nameOf(workload), from, reason, because]),
  );
}
