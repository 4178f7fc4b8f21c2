import { appendFile, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { EvenkeelError } from "../../../platform/errors.js";
import type { SnapshotAnswer, StatusAnswer } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { plural } from "../words.js";

interface RecordOptions extends CommonOptions {
  readonly seconds?: number;
  readonly every?: number;
}

/** What a snapshot tells about the people of a fleet: not for everyone's eyes. */
const FILE_MODE = 0o600;

export function addRecord(program: Command): void {
  const command = program.command("record").argument("<file>", "where to; one line is added for each snapshot");
  withCommonOptions(command)
    .description("save what decisions are made on, tick after tick; `evenkeel simulate` replays it")
    .option("--seconds <n>", "how long; default: until Ctrl-C", positive)
    .option("--every <seconds>", "from one snapshot to the next; default: the scheduler's tick", positive)
    .addHelpText("after", "\nExample:\n  evenkeel record monday.jsonl --seconds 86400 && evenkeel simulate monday.jsonl --config new.json")
    .action((file: string, options: RecordOptions) =>
      runCommand(options, async ({ api, output }) => {
        const every = options.every ?? (await api.ask<StatusAnswer>("GET", "/status")).tickSeconds;
        await open(file, "a", FILE_MODE).then(
          (handle) => handle.close(),
          (error: Error) => {
            throw new EvenkeelError("INPUT_INVALID", `${file}: ${error.message}`, { cause: error });
          },
        );
        const stopping = new AbortController();
        const stop = () => stopping.abort();
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
        const end = Date.now() + (options.seconds ?? Number.POSITIVE_INFINITY) * 1000;
        let lastAt = Number.NEGATIVE_INFINITY;
        let [snapshots, missed] = [0, 0];
        while (!stopping.signal.aborted) {
          try {
            const answer = await api.ask<SnapshotAnswer>("GET", "/snapshot");
            if (answer.snapshot.at > lastAt) {
              await appendFile(file, `${JSON.stringify(answer)}\n`);
              lastAt = answer.snapshot.at;
              snapshots++;
            }
          } catch (error) {
            // A scheduler that restarts must not end a recording of a day; one that never answered is another matter.
            if (snapshots === 0 || !(error instanceof EvenkeelError && error.retryable)) throw error;
            missed++;
          }
          output.progress(`${plural(snapshots, "snapshot")} in ${file}${missed > 0 ? `, ${missed} missed` : ""}`);
          if (Date.now() + every * 1000 > end) break;
          await delay(every * 1000, undefined, { signal: stopping.signal }).catch(() => {});
        }
        output.endProgress();
        if (output.json) output.answer({ file, snapshots, missed });
        else output.line(`${plural(snapshots, "snapshot")} in ${file}.`);
        return EXIT.ok;
      }),
    );
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0 is needed");
  return value;
}
