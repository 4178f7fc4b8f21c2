import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { listLastingLeftovers, listLeftovers } from "../lab/leftovers.js";
import { buildRoot } from "../lab/root-file-system.js";
import { LAB_PACKAGES } from "../lab/root-recipe.js";
import { takeDownAbandoned } from "../lab/take-down.js";
import { projectPath } from "../platform/paths.js";
import { BY_FILE, defaultLanes, type Job, KINDS, type Kind, listJobs, WITHOUT_LAB } from "./jobs.js";
import { runInLanes } from "./lanes.js";
import { killGroup } from "./process-group.js";
import { tryAgain } from "./second-try.js";
import { findChromium } from "./support/chromium.js";
import { OUT_OF_TIME, type Tally } from "./tally.js";

const LEFTOVER_DEADLINE_SECONDS = 60;
/** After so long no second try begins: whoever waits for the run gives it an hour and a half. */
const SECOND_TRY_MINUTES = 75;

const begunAt = Date.now();
const flags = new Command("npm test --")
  .description("Runs every test and ends with `N passed, N failed`. Leaves nothing behind.")
  .option("--kinds <list>", `comma separated, of ${KINDS.join(", ")}`, kindsOf, [...KINDS])
  .option("--grep <words>", "only tests whose full title holds these words")
  .option("--lanes <n>", "how many processes run tests at once; by default by this machine's cores and memory", lanesOf, defaultLanes())
  .option("--minutes <n>", "begin no test after so many minutes; those left out count as skipped", minutesOf)
  .option("--no-second-try", "do not run the files of red tests once more, by themselves, at the end")
  .addHelpText("after", "\nExit codes: 0 all passed, 1 a test failed or something was left behind, 130 interrupted.")
  .parse()
  .opts<{ kinds: readonly Kind[]; grep?: string; lanes: number; minutes?: number; secondTry: boolean }>();

const children = new Set<ChildProcess>();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interrupted = true;
    for (const child of children) killGroup(child);
  });
}

function kindsOf(list: string): Kind[] {
  return list.split(",").map((word) => {
    const kind = KINDS.find((known) => known === word);
    if (kind === undefined) throw new InvalidArgumentError(`"${word}" is not one of ${KINDS.join(", ")}.`);
    return kind;
  });
}

function minutesOf(word: string): number {
  const minutes = Number(word);
  if (!(minutes > 0)) throw new InvalidArgumentError("a number above 0 is needed.");
  return minutes;
}

function lanesOf(word: string): number {
  const lanes = Number(word);
  if (!Number.isInteger(lanes) || lanes < 1) throw new InvalidArgumentError("a whole number from 1 is needed.");
  return lanes;
}

/** One job in a process of its own: what it breaks or leaks cannot reach the next. What it says is shown in one piece when it has ended. */
async function runJob({ name, kind, files }: Job, folder: string, env: NodeJS.ProcessEnv): Promise<Tally> {
  const begunAt = Date.now();
  const base = join(folder, name.replaceAll("/", "-"));
  const [resultFile, outputFile] = [`${base}.json`, `${base}.txt`];
  // A file, not a pipe: what a broken test leaves running would hold that open.
  const output = await open(outputFile, "w");
  const child = spawn(process.execPath, [projectPath("dist/test/run-files.js"), kind, resultFile, flags.grep ?? "", ...files], {
    stdio: ["ignore", output.fd, output.fd],
    env,
    detached: true,
  });
  children.add(child);
  console.log(`begins: ${name}`);
  const code = await new Promise<number>((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
  children.delete(child);
  killGroup(child);
  await output.close();
  console.log(`\n──── ${name} (${Math.round((Date.now() - begunAt) / 1000)} s) ────\n${await readFile(outputFile, "utf8")}`);
  const result = await readFile(resultFile, "utf8").catch(() => null);
  if (result !== null) return JSON.parse(result) as Tally;
  return {
    passed: 0,
    failures: [`${name}: the tests broke off with exit code ${code}`],
    redFiles: BY_FILE.includes(kind) ? files : [],
    skips: [],
  };
}

function buildLabRoot(): Promise<string> {
  let shown = "";
  return buildRoot("lab", LAB_PACKAGES, (step, percent) => {
    if (step !== shown) console.log(`preparing the lab: ${step}${percent === undefined ? "" : ` (${Math.round(percent)} %)`}`);
    shown = step;
  });
}

async function main(): Promise<number> {
  const deadline = flags.minutes === undefined ? null : begunAt + flags.minutes * 60_000;
  await takeDownAbandoned();
  const before = new Set(await listLeftovers());
  const root = flags.kinds.every((kind) => WITHOUT_LAB.includes(kind))
    ? undefined
    : (process.env["EVENKEEL_LAB_ROOT"] ?? (await buildLabRoot()));
  const chromium = flags.kinds.includes("web") ? await findChromium() : null;
  const env = {
    ...process.env,
    ...(root === undefined ? {} : { EVENKEEL_LAB_ROOT: root }),
    ...(chromium === null ? {} : { EVENKEEL_CHROMIUM: chromium }),
    ...(deadline === null ? {} : { EVENKEEL_TEST_DEADLINE: String(deadline) }),
  };
  const folder = await mkdtemp(join(tmpdir(), "evenkeel-test-"));
  const results = new Map<Job, Tally>();
  const run = (job: Job) => runJob(job, folder, env);
  const note = async (job: Job) => void results.set(job, await run(job));
  const isOver = () => interrupted || (deadline !== null && Date.now() > deadline);
  const jobs = listJobs(flags.kinds, flags.grep !== undefined);
  await runInLanes(jobs, flags.lanes, note, isOver);
  const unsteady = flags.secondTry
    ? await tryAgain(results, run, () => isOver() || Date.now() - begunAt > SECOND_TRY_MINUTES * 60_000)
    : [];
  const leftOut = interrupted ? [] : jobs.filter((job) => !results.has(job)).map(({ name }) => `${name} (skipped: ${OUT_OF_TIME})`);
  await rm(folder, { recursive: true, force: true });
  const tallies = [...results.values()];
  const failures = tallies.flatMap((tally) => tally.failures);
  const skips = [...tallies.flatMap((tally) => tally.skips), ...leftOut];
  const left = await listLastingLeftovers(LEFTOVER_DEADLINE_SECONDS, before);
  if (left.length > 0) failures.push(`left behind: ${left.join(", ")}`);
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0) + (left.length > 0 ? 0 : 1);
  console.log("");
  for (const failure of unsteady) console.log(`passed only at the second try: ${failure}`);
  for (const failure of failures) console.log(`FAILED  ${failure}`);
  for (const skip of skips) console.log(`skipped ${skip}`);
  console.log(`${passed} passed, ${failures.length} failed${skips.length > 0 ? `, ${skips.length} skipped` : ""}`);
  if (interrupted) return 130;
  return failures.length === 0 && passed > 0 ? 0 : 1;
}

process.exitCode = await main();
