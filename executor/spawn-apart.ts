import { type ChildProcessByStdio, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/** V8 begins with one megabyte for what is new, and goes through it each time that is full: too often in the moments for which these programs are there. */
const ROOM_FOR_NEW = "--min-semi-space-size=16";

export type Apart = ChildProcessByStdio<Writable, Readable, null>;

/**
 * One of our programs in a process of its own, which goes on when this executor ends: it is told things on its stdin, and answers on its stdout. What it has to
 * complain about goes to the log. `guard`: a command that runs it and sees to its end.
 */
export function spawnApart(program: string, words: readonly string[], logFile = "/dev/null", guard: readonly string[] = []): Apart {
  const log = openSync(logFile, "a");
  const [command, ...rest] = [...guard, process.execPath, ROOM_FOR_NEW, program, ...words] as [string, ...string[]];
  const child = spawn(command, rest, { stdio: ["pipe", "pipe", log], detached: true }) as Apart;
  closeSync(log);
  child.unref();
  // Whoever waits for its answer hears that there is none.
  child.on("error", () => {});
  // It may end before it has heard everything.
  child.stdin.on("error", () => {});
  return child;
}
