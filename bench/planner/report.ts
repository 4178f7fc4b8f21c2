import Table from "cli-table3";
import type { Judgement } from "./judge.js";

interface Timed extends Judgement {
  readonly seconds?: number;
  readonly firstSeconds?: number;
  readonly finished?: boolean;
}

export interface Comparison {
  readonly initial: Timed;
  readonly evenkeel: Timed;
  readonly hbal: Timed | null;
  /** The plan it would make if hbal's number of moves did not bind it. */
  readonly evenkeelUnlimited?: Timed;
}

const GIBIBYTE = 2 ** 30;

export function comparisonTable({ initial, evenkeel, hbal, evenkeelUnlimited }: Comparison): string {
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
  add("evenkeel", evenkeel);
  if (evenkeelUnlimited !== undefined) add("evenkeel, any number of moves", evenkeelUnlimited);
  return table.toString();
}

function time({ seconds, firstSeconds, finished }: Timed): string {
  if (seconds === undefined) return "";
  if (finished === false) return `${seconds.toFixed(1)}, stopped`;
  return firstSeconds === undefined ? seconds.toFixed(3) : `${seconds.toFixed(3)} (first ${firstSeconds.toFixed(3)})`;
}
