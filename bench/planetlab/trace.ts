import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { INTERVAL_SECONDS } from "./setup.js";

/** CPU demand of one VM, as a ratio 0..1 of its size, one value every five minutes. */
export type Trace = Float64Array;

/**
 * Reads a directory of traces (one file a VM, one integer percent a line), sorted by name: the order decides which VM
 * gets which size, so it must not depend on the file system.
 *
 * @throws Error naming the file and line that is not a percentage
 */
export async function readTraces(directory: string): Promise<Trace[]> {
  const names = (await readdir(directory)).sort();
  if (names.length === 0) throw new Error(`${directory} holds no traces; unpack one day of the PlanetLab set into it`);
  return Promise.all(names.map(async (name) => parseTrace(await readFile(join(directory, name), "utf8"), name)));
}

export function parseTrace(text: string, name: string): Trace {
  const lines = text.split("\n").map((line) => line.trim());
  while (lines.at(-1) === "") lines.pop();
  if (lines.length < 2) throw new Error(`${name}: a trace needs at least two samples, this has ${lines.length}`);
  const values = lines.map((line, index) => {
    const percent = Number(line);
    if (line === "" || !Number.isFinite(percent) || percent < 0 || percent > 100) {
      throw new Error(`${name}, line ${index + 1}: "${line}" is not a percentage`);
    }
    return percent / 100;
  });
  // The last sample holds until the end of the day.
  return Float64Array.from([...values, values.at(-1) as number]);
}

/** Demand at an instant, linear between samples. */
export function demandRatioAt(trace: Trace, seconds: number): number {
  const position = seconds / INTERVAL_SECONDS;
  const before = Math.min(Math.floor(position), trace.length - 1);
  const after = Math.min(Math.ceil(position), trace.length - 1);
  const from = trace[before] as number;
  return from + ((trace[after] as number) - from) * (position - before);
}
