import type { Command } from "commander";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { Answers } from "../../api-shapes.js";
import type { ApiClient } from "../api-client.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { blackoutLine, timelineBars } from "../timeline-bars.js";
import { waitUntil } from "../wait-until.js";
import { ago, bytes, duration, standing, sumBytes } from "../words.js";
import { describe, waitForMigration } from "./migrate.js";

/** Leaves room for the rest of the line in 100 columns. */
const BAR_LETTERS = 48;
const COLOURS = { waiting: "dim", running: "cyan", stopped: "red", tidying: "green", blackout: "red" } as const;

interface MigrationsOptions extends CommonOptions {
  readonly watch?: boolean;
  readonly limit: string;
}

export function addMigrations(program: Command): void {
  const command = program.command("migrations").argument("[id]", "one migration with its timeline");
  withCommonOptions(command)
    .description("list migrations: open ones, then the newest that have ended")
    .option("--watch", "stay, showing how far each is, until it (with an id) or all that are open have ended")
    .option("--limit <count>", "how many that have ended", "20")
    .action((id: string | undefined, options: MigrationsOptions) =>
      runCommand(options, async ({ api, output }) => {
        if (id !== undefined && options.watch === true) return waitForMigration(api, output, id, null);
        if (id !== undefined) {
          const { migration } = await api.ask<Answers["migration"]>("GET", `/migrations/${encodeURIComponent(id)}`);
          if (output.json) output.answer(migration);
          else printMigration(migration, output);
          return EXIT.ok;
        }
        if (options.watch === true) await watchOpen(api, output);
        const { migrations } = await api.ask<Answers["migrations"]>("GET", `/migrations?limit=${encodeURIComponent(options.limit)}`);
        if (output.json) output.answer(migrations);
        else printMigrations(migrations, output);
        return EXIT.ok;
      }),
    );
}

export function addCancel(program: Command): void {
  const command = program.command("cancel").argument("<id>").description("cancel a migration that has not committed; its workload goes on");
  withCommonOptions(command).action((id: string, options: CommonOptions) =>
    runCommand(options, async ({ api, output }) => {
      const { migration } = await api.ask<Answers["migration"]>("DELETE", `/migrations/${encodeURIComponent(id)}`);
      if (output.json) output.answer(migration);
      else output.line(`${id} is cancelled: ${migration.name} goes on on ${migration.from}.`);
      return EXIT.ok;
    }),
  );
}

/** Returns when no migration is open. */
async function watchOpen(api: ApiClient, output: Output): Promise<void> {
  const ask = async () => {
    const { migrations } = await api.ask<Answers["migrations"]>("GET", "/migrations?limit=1");
    const open = migrations.filter(({ closedAt }) => closedAt === null);
    output.progress(open.map(describe).join("  |  "));
    return open;
  };
  await waitUntil(ask, (open) => open.length === 0, null);
  output.endProgress();
}

function printMigrations(migrations: readonly MigrationRecord[], output: Output): void {
  if (migrations.length === 0) {
    output.line("Nothing has been moved yet.");
    return;
  }
  const now = Date.now() / 1000;
  output.table(
    ["ID", "WORKLOAD", "FROM", "TO", "FOR", "STANDING", "BLACKOUT", "BYTES", "BEGUN"],
    migrations.map((record) => [
      record.id,
      record.name,
      record.from,
      record.to,
      record.reason,
      paintStanding(record, output),
      record.blackoutSeconds === null ? "" : duration(record.blackoutSeconds),
      sumBytes(record) === 0 ? "" : bytes(sumBytes(record)),
      ago(record.createdAt, now),
    ]),
  );
}

function printMigration(record: MigrationRecord, output: Output): void {
  output.line(`${output.paint("bold", record.name)}  ${record.from} -> ${record.to}  ${paintStanding(record, output)}`);
  output.line(`${record.reason}: ${record.because}`);
  const mode = record.modeUsed ?? record.mode;
  const losses = mode === "cold" ? " (stopped and started: connections and memory lost)" : "";
  output.line(`mode ${mode}${losses}, blackout ${duration(record.blackoutSeconds)}, ${bytes(sumBytes(record))} sent`);
  if (record.modeBecause !== null) output.line(`${mode}: ${record.modeBecause}`);
  if (record.errorCode !== null) output.line(output.paint("red", `${record.errorCode}: ${record.errorMessage ?? ""}`));
  if (record.closedAt === null) output.line(describe(record));
  output.line();
  output.table(
    ["STAGE", "", "TOOK", ""],
    timelineBars(record, Date.now() / 1000, BAR_LETTERS).map(({ name, bar, phase, took, remark }) => [
      name,
      output.paint(COLOURS[phase], bar.padEnd(BAR_LETTERS)),
      took,
      output.paint("dim", remark),
    ]),
  );
  const within = blackoutLine(record);
  if (within !== "") output.line(`\nIn the blackout: ${within}`);
  printRounds(record, output);
}

/** Memory that went ahead of the freeze: it should shrink from one round to the next. */
function printRounds({ rounds }: MigrationRecord, output: Output): void {
  if (rounds.length === 0) return;
  output.line();
  output.table(
    ["ROUND", "SENT", "TOOK", "HELD STILL", "WRITTEN MEANWHILE"],
    rounds.map((each) => [
      String(each.round),
      bytes(each.bytes),
      duration(each.seconds),
      duration(each.pausedSeconds),
      each.dirtyBytesPerSecond === null ? "" : `${bytes(each.dirtyBytesPerSecond)}/s`,
    ]),
  );
}

function paintStanding(record: MigrationRecord, { paint }: Output): string {
  const text = standing(record);
  if (record.result === null) return paint("cyan", text);
  return paint(record.result === "succeeded" ? "green" : "red", text);
}
