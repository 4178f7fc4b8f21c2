import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { waitFor } from "../lab/deadline.js";
import { listLeftovers } from "../lab/leftovers.js";
import { buildRoot } from "../lab/root-file-system.js";
import { LAB_PACKAGES } from "../lab/root-recipe.js";
import { takeDownAbandoned } from "../lab/take-down.js";
import { projectPath } from "../platform/paths.js";
import { findChromium } from "./support/chromium.js";
import type { Tally } from "./tally.js";

const KINDS = ["unit", "property", "integration", "web", "e2e", "vm"] as const;
const LEFTOVER_DEADLINE_SECONDS = 60;

const flags = new Command("npm test --")
  .description("Runs every test and ends with `N passed, N failed`. Leaves nothing behind.")
  .option("--kinds <list>", `comma separated, of ${KINDS.join(", ")}`, KINDS.join(","))
  .option("--grep <words>", "only tests whose full title holds these words")
  .addHelpText("after", "\nExit codes: 0 all passed, 1 a test failed or something was left behind, 130 interrupted.")
  .parse()
  .opts<{ kinds: string; grep?: string }>();

let running: ChildProcess | null = null;
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    interrupted = true;
    running?.kill("SIGKILL");
  });
}

/** One kind in a process of its own: what it breaks or leaks cannot reach the next. */
async function runKind(kind: string, folder: string, env: NodeJS.ProcessEnv): Promise<Tally> {
  const file = join(folder, `${kind}.json`);
  const child = spawn(process.execPath, [projectPath("dist/test/run-kind.js"), kind, file, flags.grep ?? ""], { stdio: "inherit", env });
  running = child;
  const code = await new Promise<number>((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
  const text = await readFile(file, "utf8").catch(() => null);
  if (text !== null) return JSON.parse(text) as Tally;
  return { passed: 0, failures: [`${kind}: the tests broke off with exit code ${code}`], skips: [] };
}

async function main(): Promise<number> {
  await takeDownAbandoned();
  const before = new Set(await listLeftovers());
  let shown = "";
  const root =
    process.env["EVENKEEL_LAB_ROOT"] ??
    (await buildRoot("lab", LAB_PACKAGES, (step, percent) => {
      if (step !== shown) console.log(`preparing the lab: ${step}${percent === undefined ? "" : ` (${Math.round(percent)} %)`}`);
      shown = step;
    }));
  const chromium = flags.kinds.includes("web") ? await findChromium() : null;
  const env = { ...process.env, EVENKEEL_LAB_ROOT: root, ...(chromium === null ? {} : { EVENKEEL_CHROMIUM: chromium }) };
  const folder = await mkdtemp(join(tmpdir(), "evenkeel-test-"));
  const tallies: Tally[] = [];
  for (const kind of flags.kinds.split(",")) {
    if (interrupted || !existsSync(projectPath(`dist/test/${kind}`))) continue;
    console.log(`\n──── ${kind} ────`);
    tallies.push(await runKind(kind, folder, env));
  }
  await rm(folder, { recursive: true, force: true });
  const failures = tallies.flatMap((tally) => tally.failures);
  const skips = tallies.flatMap((tally) => tally.skips);
  const left = await waitFor("nothing to be left behind", LEFTOVER_DEADLINE_SECONDS, async () => {
    const found = (await listLeftovers()).filter((line) => !before.has(line));
    return found.length === 0 && found;
  }).catch(async () => listLeftovers());
  if (left.length > 0) failures.push(`left behind: ${left.join(", ")}`);
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0) + (left.length > 0 ? 0 : 1);
  console.log("");
  for (const failure of failures) console.log(`FAILED  ${failure}`);
  for (const skip of skips) console.log(`skipped ${skip}`);
  console.log(`${passed} passed, ${failures.length} failed${skips.length > 0 ? `, ${skips.length} skipped` : ""}`);
  if (interrupted) return 130;
  return failures.length === 0 && passed > 0 ? 0 : 1;
}

process.exitCode = await main();
