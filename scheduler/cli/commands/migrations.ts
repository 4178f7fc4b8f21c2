import type { Command } from "commander";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { Answers } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { ago, bytes, duration, standing, sumBytes } from "../words.js";
import { waitForMigration } from "./migrate.js";

interface MigrationsOptions extends CommonOptions {
  readonly watch?: boolean;
  readonly limit: string;
}

export function addMigrations(program: Command): void {
  const command = program.command("migrations").argument("[id]", "one migration with its timeline");
  withCommonOptions(command)
    .description("list migrations: open ones, then the newest that have ended")
    .option("--watch", "with an id: stay until it has ended")
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
  output.line(`mode ${record.modeUsed ?? record.mode}, blackout ${duration(record.blackoutSeconds)}, ${bytes(sumBytes(record))} sent`);
  if (record.errorCode !== null) output.line(output.paint("red", `${record.errorCode}: ${record.errorMessage ?? ""}`));
  output.line();
  const end = record.closedAt ?? Date.now() / 1000;
  output.table(
    ["STAGE", "AFTER", "TOOK"],
    record.timeline.map(({ stage, at }, index) => [
      stage,
      duration(at - record.createdAt),
      duration(Math.max(0, (record.timeline[index + 1]?.at ?? end) - at)),
    ]),
  );
}

function paintStanding(record: MigrationRecord, { paint }: Output): string {
  const text = standing(record);
  if (record.result === null) return paint("cyan", text);
  return paint(record.result === "succeeded" ? "green" : "red", text);
}
