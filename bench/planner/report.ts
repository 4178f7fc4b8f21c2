import Table from "cli-table3";
import type { Judgement } from "./judge.js";

interface Timed extends Judgement {
  readonly seconds?: number;
  readonly firstSeconds?: number;
  readonly finished?: boolean;
  /** How many plans made the moves, and what the longest of them took in the first run. */
  readonly plans?: number;
  readonly longestSeconds?: number;
}

interface Decided extends Timed {
  readonly within: Judgement | null;
}

export interface Comparison {
  readonly initial: Timed;
  readonly evenkeel: Timed;
  readonly hbal: Timed | null;
  /** The plan it would make if hbal's number of moves did not bind it. */
  readonly evenkeelUnlimited?: Timed;
  /** What the scheduler would do with the fleet, and what if moves cost nothing. */
  readonly decide: Decided;
  readonly decideCostNotWeighed: Decided;
}

const GIBIBYTE = 2 ** 30;

export function comparisonTable(comparison: Comparison): string {
  const { initial, evenkeel, hbal, evenkeelUnlimited, decide, decideCostNotWeighed } = comparison;
  const table = new Table({
    head: ["", "CPU stddev", "CPU max", "memory stddev", "memory max", "moves", "GiB moved", "seconds"],
    style: { head: [], border: [], compact: true },
  });
  const add = (name: string, state: Timed) => {
    const { cpuStddev, cpuMax, memoryStddev, memoryMax, moves, bytes } = state;
    const ratios = [cpuStddev, cpuMax, memoryStddev, memoryMax].map((ratio) => ratio.toFixed(4));
    table.push([name, ...ratios, moves, (bytes / GIBIBYTE).toFixed(0), time(state)]);
  };
  add("at first", initial);
  if (hbal !== null) add("hbal", hbal);
  add("evenkeel's search", evenkeel);
  if (evenkeelUnlimited !== undefined) add("evenkeel's search, any number of moves", evenkeelUnlimited);
  const decisions = { decide, "decide, cost not weighed": decideCostNotWeighed };
  for (const [name, decided] of Object.entries(decisions)) {
    add(name, decided);
    if (decided.within !== null) add(`${name}, its first moves`, decided.within);
  }
  return table.toString();
}

function time({ seconds, firstSeconds, finished, plans, longestSeconds }: Timed): string {
  if (seconds === undefined) return "";
  const howLong = finished === false ? `${seconds.toFixed(1)}, stopped` : seconds.toFixed(3);
  if (firstSeconds === undefined) return howLong;
  if (plans === undefined) return `${howLong} (first ${firstSeconds.toFixed(3)})`;
  return `${howLong} in ${plans} plans (first ${firstSeconds.toFixed(3)}, longest plan ${longestSeconds?.toFixed(3)})`;
}
