import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "commander";
import { asEvenkeelError, EvenkeelError } from "../../platform/errors.js";
import { check } from "./check.js";
import { parseInstance } from "./parse-instance.js";
import { searchInThreads } from "./search-in-threads.js";

/** Kept back from the budget for writing the answer. */
const RESERVE_MS = 100;

interface Arguments {
  readonly model: string;
  readonly assignment: string;
  readonly seconds: string;
  readonly out: string;
  readonly seed: string;
  readonly workers: string;
  readonly json?: boolean;
}

const command = new Command("bench:roadef")
  .description(
    "Solves an instance of the ROADEF/EURO 2012 machine reassignment challenge with Evenkeel's own search, and checks the answer.",
  )
  .requiredOption("--model <file>", "the instance's model")
  .requiredOption("--assignment <file>", "its initial assignment")
  .requiredOption("--out <file>", "where to write the assignment found")
  .option("--seconds <n>", "time for reading, searching and writing", "300")
  .option("--seed <n>", "seed of the first thread", "1")
  .option("--workers <n>", "search threads", "2")
  .option("--json", "print one JSON object");

async function run(given: Arguments): Promise<void> {
  const startedAt = Date.now();
  const seconds = numberIn(given.seconds, "--seconds", 0.1, 86_400);
  const seed = Math.floor(numberIn(given.seed, "--seed", 0, 2 ** 31));
  const threads = Math.floor(numberIn(given.workers, "--workers", 1, 64));
  const [model, initial] = await Promise.all([read(given.model, "--model"), read(given.assignment, "--assignment")]);
  const parsed = parseInstance(model, given.model, initial, given.assignment);
  const deadline = startedAt + seconds * 1000 - RESERVE_MS;
  const found = await searchInThreads(parsed, { threads, seed, startedAt: Date.now(), deadline });
  await write(given.out, `${found.join(" ")}\n`);
  const elapsed = (Date.now() - startedAt) / 1000;

  const judged = check(model, initial, await read(given.out, "--out"));
  const result = {
    instance: basename(given.model).replace(/^model_|\.txt$/g, ""),
    initialCost: judged.initialCost,
    cost: judged.feasible ? judged.cost : null,
    feasible: judged.feasible,
    seconds: elapsed,
    seed,
    workers: threads,
  };
  if (given.json) console.log(JSON.stringify(result));
  else
    console.log(
      Object.entries(result)
        .map(([name, value]) => `${name}: ${value}`)
        .join("\n"),
    );
  if (judged.feasible) return;
  for (const violation of judged.violations) console.error(violation);
  process.exitCode = 1;
}

function numberIn(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw new EvenkeelError("INPUT_INVALID", `${option} is ${JSON.stringify(text)}, not a number in ${least} … ${most}`);
}

async function read(file: string, option: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: Error) => {
    throw new EvenkeelError("INPUT_INVALID", `${option}: ${cause.message}`, { cause });
  });
}

async function write(file: string, text: string): Promise<void> {
  return writeFile(file, text).catch((cause: Error) => {
    throw new EvenkeelError("INPUT_INVALID", `--out: ${cause.message}`, { cause });
  });
}

try {
  await run(command.parse().opts<Arguments>());
} catch (thrown) {
  const error = asEvenkeelError(thrown);
  console.error(`${error.code}: ${error.message}\n${error.hint}`);
  process.exitCode = 1;
}
