import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { EvenkeelError } from "../../platform/errors.js";

const READY_SECONDS = 15;

export interface MemoryFeeder {
  /** It needs no page to begin with. */
  readonly beginsEarly: boolean;
  /** The images are there: starts CRIU's daemon, once. Resolves when it waits for the restore. @throws RESTORE_FAILED */
  begin(): Promise<void>;
}

/** Waits for a line of the program that begins with that word, and returns the rest of it. @throws RESTORE_FAILED with the words of its log */
export function listenTo(stdout: Readable, program: string, logFile: string): (word: string) => Promise<string> {
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return async (word) => {
    const late = new Promise<{ value: string }>((resolve) => setTimeout(() => resolve({ value: "late" }), READY_SECONDS * 1000).unref());
    const { value } = await Promise.race([lines.next(), late]);
    if (value?.startsWith(word)) return value.slice(word.length).trim();
    const words = await readFile(logFile, "utf8").catch(() => "");
    throw new EvenkeelError("RESTORE_FAILED", `${program} is not ready: ${words.trim().replaceAll("\n", "; ")}`);
  };
}
