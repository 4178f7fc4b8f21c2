import type { Command } from "commander";
import { EvenkeelError } from "../../../platform/errors.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { ASKED_MODES } from "../../../policies/modes/choose-mode.js";
import type { Answers } from "../../api-shapes.js";
import type { ApiClient } from "../api-client.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { waitUntil } from "../wait-until.js";
import { bytes, duration, howFar, parseDuration, standing, sumBytes } from "../words.js";

interface MigrateOptions extends CommonOptions {
  readonly to: string;
  readonly wait?: boolean;
  readonly timeout?: string;
  readonly mode?: string;
}

export function addMigrate(program: Command): void {
  const command = program.command("migrate").argument("<workload>", "its name, its id, or the beginning of an id");
  withCommonOptions(command)
    .description("move one workload to another node, in any mode")
    .requiredOption("--to <node>", "where to")
    .option("--mode <mode>", `how, whatever its label says: ${ASKED_MODES.join(", ")}`)
    .option("--wait", "stay until it has ended, showing how far it is")
    .option("--timeout <duration>", "with --wait: give up watching after this long (90s, 10m, 1h)")
    .addHelpText(
      "after",
      "\nExamples:\n  evenkeel migrate web --to n2 --wait\n  evenkeel migrate web --to n2 --mode postcopy --wait\n  evenkeel migrate 3f9a11c0 --to n3 --json",
    )
    .action((workload: string, options: MigrateOptions) =>
      runCommand(options, async ({ api, output }) => {
        const timeoutSeconds = readDuration(options.timeout, "--timeout");
        const { migration } = await api.ask<Answers["migration"]>("POST", "/migrations", { workload, to: options.to, mode: options.mode });
        if (options.wait !== true) {
          if (output.json) output.answer(migration);
          else
            output.line(
              `${migration.id}: ${migration.name} ${migration.from} -> ${migration.to}. Watch it: evenkeel migrations ${migration.id}`,
            );
          return EXIT.ok;
        }
        return waitForMigration(api, output, migration.id, timeoutSeconds);
      }),
    );
}

export async function waitForMigration(api: ApiClient, output: Output, id: string, timeoutSeconds: number | null): Promise<number> {
  const ask = async () => {
    const { migration } = await api.ask<Answers["migration"]>("GET", `/migrations/${encodeURIComponent(id)}`);
    output.progress(describe(migration));
    return migration;
  };
  const { answer, over } = await waitUntil(ask, ({ closedAt }) => closedAt !== null, timeoutSeconds);
  output.endProgress();
  if (output.json) output.answer(answer);
  else output.line(over ? conclude(answer, output) : `${id} is still at ${answer.stage}; it goes on.`);
  if (!over) return EXIT.timedOut;
  return answer.result === "succeeded" ? EXIT.ok : EXIT.failed;
}

/** One line on a migration under way. */
export function describe(record: MigrationRecord): string {
  const route = `${record.name} ${record.from} -> ${record.to}`;
  const age = duration(Math.max(0, record.updatedAt - record.createdAt));
  return [`${route}: ${standing(record)}`, ...howFar(record), `after ${age}`].join(", ");
}

function conclude(record: MigrationRecord, { paint }: Output): string {
  if (record.result !== "succeeded") {
    const where = record.outcome === "committed" ? record.to : record.from;
    return paint("red", `${record.name}: ${record.result}. ${record.errorMessage ?? record.errorCode ?? ""} It runs on ${where}.`);
  }
  const took = duration((record.closedAt ?? record.updatedAt) - record.createdAt);
  return paint(
    "green",
    `${record.name} runs on ${record.to}: blackout ${duration(record.blackoutSeconds)}, ${bytes(sumBytes(record))} in ${took} (${record.modeUsed ?? record.mode})`,
  );
}

/** @throws INPUT_INVALID for what is not a duration. */
export function readDuration(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  const seconds = parseDuration(text);
  if (seconds === null) throw new EvenkeelError("INPUT_INVALID", `${option} ${text} is not a duration such as 90s, 10m or 1h30m`);
  return seconds;
}
