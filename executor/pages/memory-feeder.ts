import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { EvenkeelError } from "../../platform/errors.js";
import type { Apart } from "../spawn-apart.js";

const READY_SECONDS = 15;

export interface MemoryFeeder {
  /** It needs no page to begin with. */
  readonly beginsEarly: boolean;
  /** The images are there: starts CRIU's daemon, once. Resolves when it waits for the restore. @throws RESTORE_FAILED */
  begin(): Promise<void>;
  /** It has ended without having begun: the images are as they came. */
  isGone(): boolean;
  /** There will be nothing to feed. */
  cancel(): void;
  /** A round of images is there, to be read ahead. Missing: it goes without. */
  readonly roundArrived?: () => void;
}

/** Talks to a feeder: it begins at a line, and ends with its stdin until it has begun. @param next waits for a word of it */
export function talkToFeeder(child: Apart, next: (word: string) => Promise<string>): Pick<MemoryFeeder, "begin" | "isGone" | "cancel"> {
  let ready: Promise<string> | null = null;
  return {
    begin: async () => {
      if (ready === null) child.stdin.write("go\n");
      ready ??= next("ready");
      await ready;
    },
    isGone: () => ready === null && (child.exitCode !== null || child.signalCode !== null),
    cancel: () => void child.stdin.end(),
  };
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
