import { writeFileSync } from "node:fs";
import { config as chaiConfig } from "chai";
import fc from "fast-check";
import Mocha from "mocha";
import { leave } from "../platform/leave.js";
import type { Kind } from "./jobs.js";
import { OUT_OF_TIME, type Tally } from "./tally.js";

/** `run-files.js KIND RESULT-FILE GREP FILE…`: mocha on these files; run.ts calls it. An empty GREP means all tests. */
const [kind, resultFile, grep, ...files] = process.argv.slice(2);
if (kind === undefined || resultFile === undefined || files.length === 0)
  throw new Error("usage: run-files.js KIND RESULT-FILE GREP FILE…");

const TIMEOUT_MILLISECONDS: Readonly<Record<Kind, number>> = {
  unit: 60_000,
  property: 120_000,
  integration: 180_000,
  web: 300_000,
  e2e: 600_000,
  vm: 1_800_000,
};

const mocha = new Mocha({ reporter: "spec", timeout: TIMEOUT_MILLISECONDS[kind as Kind], forbidOnly: true, ...(grep ? { grep } : {}) });
// The same cases each time, so that a red run can be repeated; EVENKEEL_SEED looks at others.
fc.configureGlobal({ seed: Number(process.env["EVENKEEL_SEED"] ?? 1) });
// A list that was cut short hides what was wrong in it, and the run may be on a machine where nobody can look again.
chaiConfig.truncateThreshold = 0;
for (const file of files) mocha.addFile(file);
await mocha.loadFilesAsync();

let isOutOfTime = false;
const tally = { passed: 0, failures: [] as string[], redFiles: [] as string[], skips: [] as string[] } satisfies Tally;
const deadline = Number(process.env["EVENKEEL_TEST_DEADLINE"] ?? Number.POSITIVE_INFINITY);
/** What has not begun yet. */
const waiting = new Set<string>();
mocha.suite.eachTest((test) => void (test.fullTitle().includes(grep ?? "") && waiting.add(test.fullTitle())));
const runner = mocha.run(() => {
  if (isOutOfTime) tally.skips.push(...[...waiting].map((title) => `${title} (skipped: ${OUT_OF_TIME})`));
  writeFileSync(resultFile, JSON.stringify(tally));
  // Whatever a test left open must not keep us: the lab's guardian and the caller look after the rest.
  leave(tally.failures.length === 0 ? 0 : 1);
});
runner.on("test end", (test) => {
  waiting.delete(test.fullTitle());
  if (isOutOfTime || Date.now() < deadline) return;
  isOutOfTime = true;
  // Its `after` hooks run all the same.
  runner.abort();
});
runner.on("pass", () => {
  tally.passed += 1;
});
runner.on("fail", (test, error: Error) => {
  tally.failures.push(`${test.fullTitle()}: ${error.message.split("\n")[0]}`);
  if (test.file !== undefined && !tally.redFiles.includes(test.file)) tally.redFiles.push(test.file);
});
runner.on("pending", (test) => tally.skips.push(test.fullTitle()));
