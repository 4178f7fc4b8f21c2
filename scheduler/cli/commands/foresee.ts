import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { EvenkeelError } from "../../../platform/errors.js";
import type { Snapshot } from "../../../policies/types.js";
import type { Answers, SnapshotAnswer } from "../../api-shapes.js";
import { type Foresight, foreseeChange } from "../../foresight.js";
import { parsePolicyConfig } from "../../policy-config.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { percent, plural } from "../words.js";
import { paintState } from "./nodes.js";

interface ChangeOptions extends CommonOptions {
  readonly drain?: string;
  readonly lose?: string;
  readonly loseZone?: string;
  readonly add?: string;
}

interface SimulateOptions extends ChangeOptions {
  readonly config?: string;
}

const withChangeOptions = (command: Command) =>
  command
    .option("--drain <nodes>", "these nodes, comma separated, are put under maintenance")
    .option("--lose <nodes>", "these nodes fail")
    .option("--lose-zone <zones>", "all nodes of these zones fail")
    .option("--add <count>", "so many empty nodes more");

export function addWhatIf(program: Command): void {
  const command = program.command("what-if").description("what Evenkeel would do if …; nothing is changed");
  withChangeOptions(withCommonOptions(command))
    .addHelpText("after", "\nExamples:\n  evenkeel what-if --drain n1,n2\n  evenkeel what-if --lose-zone zone-a --add 2")
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
  const command = program.command("simulate").argument("<file>", "what `evenkeel snapshot` printed");
  withChangeOptions(command)
    .description("decide on a saved snapshot, offline, with the same code")
    .option("--config <file>", "a configuration whose `policies` are used instead of the saved ones")
    .option("--json", "print the answer as JSON")
    .action((file: string, options: SimulateOptions) =>
      runCommand({ json: options.json === true, token: "none" }, async ({ output }) => {
        const saved = readJson(file) as Partial<SnapshotAnswer> & Partial<Snapshot>;
        const snapshot = checkSnapshot(saved.snapshot ?? saved, file);
        const policies =
          options.config === undefined ? (saved.policies ?? {}) : (readJson(options.config) as { policies?: unknown }).policies;
        const foresight = foreseeChange(snapshot, parsePolicyConfig(policies ?? {}), readChange(options));
        if (output.json) output.answer(foresight);
        else printForesight(foresight, new Map(snapshot.workloads.map(({ id, name }) => [id, name])), output);
        return EXIT.ok;
      }),
    );
}

function readChange({ drain, lose, loseZone, add }: ChangeOptions) {
  const list = (text: string) => text.split(",").map((name) => name.trim());
  const count = add === undefined ? undefined : Number(add);
  if (count !== undefined && !(Number.isInteger(count) && count >= 0))
    throw new EvenkeelError("INPUT_INVALID", `--add ${add} is not a count`);
  return {
    ...(drain === undefined ? {} : { drain: list(drain) }),
    ...(lose === undefined ? {} : { lose: list(lose) }),
    ...(loseZone === undefined ? {} : { loseZones: list(loseZone) }),
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
  const { moves, skips, verdicts, imbalanceBefore, imbalanceAfter, isAtRest } = foresight;
  output.line(`${plural(moves.length, "move")}, imbalance ${percent(imbalanceBefore)} -> ${percent(imbalanceAfter)}`);
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
