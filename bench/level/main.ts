import { writeFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { leave } from "../../platform/leave.js";
import { tell } from "../tell.js";
import { runLevel } from "./run.js";

const MODES = ["observe", "auto"] as const;

const options = new Command("bench:level")
  .description("A daily and a bursty load on real Docker hosts in the lab, once with Evenkeel watching only and once with it acting")
  .option("--minutes <n>", "of load, in each of the two modes", positive, 30)
  .option("--out <file>", "write the JSON there too")
  .option("--json", "print JSON instead of two lines", false)
  .addHelpText("after", "\nExit codes: 0 no workload was moved within its cool-down and nothing was left behind, 1 otherwise.")
  .parse()
  .opts<{ minutes: number; out?: string; json: boolean }>();

const [observe, auto] = [await runLevel(MODES[0], options.minutes * 60, tell), await runLevel(MODES[1], options.minutes * 60, tell)];
const result = {
  minutes: options.minutes,
  overloadSecondsWithout: observe.overloadSeconds,
  overloadSecondsWith: auto.overloadSeconds,
  overloadShare: observe.overloadSeconds === 0 ? null : auto.overloadSeconds / observe.overloadSeconds,
  moves: auto.moves.length,
  movedAgainInCooldown: auto.movedAgainInCooldown,
  observe,
  auto,
};
const answer = JSON.stringify(result, null, 2);
if (options.out !== undefined) await writeFile(options.out, `${answer}\n`);
if (options.json) process.stdout.write(`${answer}\n`);
else {
  process.stdout.write(
    `overloaded for ${observe.overloadSeconds.toFixed(0)} s without, ${auto.overloadSeconds.toFixed(0)} s with Evenkeel\n`,
  );
  process.stdout.write(`${auto.moves.length} moves, ${auto.movedAgainInCooldown} within a cool-down\n`);
}
leave(auto.movedAgainInCooldown === 0 && auto.leftovers.length === 0 && observe.leftovers.length === 0 ? 0 : 1);

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0 is needed");
  return value;
}
