import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { EvenkeelError } from "../../platform/errors.js";
import type { Snapshot } from "../../policies/types.js";

/** One line of a trace: what `GET /snapshot` answers, so that each line is a saved snapshot of its own. */
export interface TraceLine {
  readonly snapshot: Snapshot;
  /** The settings then in force, as an operator would write them. */
  readonly policies: unknown;
}

/**
 * The lines of a recording, oldest first, one at a time: a recording may be larger than memory. A last line cut short by a power cut or a
 * full disk is left out. @throws INPUT_INVALID naming the line.
 */
export async function* readTrace(file: string): AsyncGenerator<TraceLine> {
  let number = 0;
  let broken: EvenkeelError | null = null;
  let at = Number.NEGATIVE_INFINITY;
  try {
    for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (broken !== null) throw broken;
      if (text.trim() === "") continue;
      const line = parseLine(text);
      if (line === null) broken = new EvenkeelError("INPUT_INVALID", `${file}:${number} is not what \`evenkeel record\` writes`);
      // Two recordings in one file, or a clock that was set back: time must not run backwards in a replay.
      else if (line.snapshot.at > at) {
        at = line.snapshot.at;
        yield line;
      }
    }
  } catch (error) {
    if (error instanceof EvenkeelError) throw error;
    throw new EvenkeelError("INPUT_INVALID", `${file}: ${(error as Error).message}`, { cause: error });
  }
  if (number === 0 || (broken !== null && number === 1)) throw broken ?? new EvenkeelError("INPUT_INVALID", `${file} is empty`);
}

function parseLine(text: string): TraceLine | null {
  try {
    const { snapshot, policies } = JSON.parse(text) as Partial<TraceLine>;
    const isWhole =
      typeof snapshot?.at === "number" && [snapshot.nodes, snapshot.workloads, snapshot.migrations].every((list) => Array.isArray(list));
    return isWhole ? { snapshot, policies: policies ?? {} } : null;
  } catch {
    return null;
  }
}
