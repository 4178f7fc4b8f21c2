import { type ChildProcessByStdio, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

type Apart = ChildProcessByStdio<Writable, Readable, null>;

/**
 * One of our programs in a process of its own, which goes on when this executor ends: it is told things on its stdin, and answers on its stdout. What it has to
 * complain about goes to the log.
 */
export function spawnApart(program: string, words: readonly string[], logFile = "/dev/null"): Apart {
  const log = openSync(logFile, "a");
  const child = spawn(process.execPath, [program, ...words], { stdio: ["pipe", "pipe", log], detached: true }) as Apart;
  closeSync(log);
  child.unref();
  // It may end before it has heard everything.
  child.stdin.on("error", () => {});
  return child;
}
