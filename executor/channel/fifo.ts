import { execFile } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

export async function makeFifos(paths: readonly string[]): Promise<void> {
  await run("mkfifo", ["-m", "600", ...paths]);
}

export interface Fifo {
  close(): void;
}

/**
 * Opened for reading and writing, so that neither end blocks on the other being there, and a line written before its reader
 * comes stays in the pipe as long as we live.
 */
export function openForWriting(path: string): Fifo & { send(line: string): void } {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return { send: (line) => void writeSync(fd, `${line}\n`), close: () => closeSync(fd) };
}

export function openForReading(path: string, onLine: (line: string) => void): Fifo {
  const socket = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false });
  createInterface({ input: socket }).on("line", onLine);
  return { close: () => socket.destroy() };
}
