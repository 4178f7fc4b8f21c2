import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Duplex, Readable, Writable } from "node:stream";
import { COMMAND, type Frame, makeFrameReader } from "./page-wire.js";

export interface LazyDaemon {
  readonly daemon: ChildProcess;
  /** Holds the daemon's socket too, for as long as it lives. */
  readonly hold: ChildProcess;
  /** Our end of that socket: CRIU's page-server protocol. */
  readonly pages: Duplex;
  /** The images are here. Resolves when it waits for a restore, rejects when it ends before that. */
  begin(): Promise<void>;
}

/**
 * CRIU's lazy-pages daemon, with our socket for its page server. It fills pages that it cannot get with zeros once that socket closes, without a word: so
 * the socket must not close before it has finished, and a second process holds it too. Both are made ahead of the freeze: a copy of this process takes
 * milliseconds in which it does nothing else.
 */
export function prepareLazyDaemon(folder: string): LazyDaemon {
  const log = openSync(`${folder}/lazy-pages.out`, "a");
  const command = ["criu", "lazy-pages", "-D", `${folder}/images`, "-W", `${folder}/work`, "-o", "lazy-pages.log"];
  // Each ends with us unless it has been told to begin.
  const daemon = spawn(
    "sh",
    ["-c", 'read -r go && exec "$@" </dev/null', "sh", ...command, "--page-server", "--ps-socket", "3", "--status-fd", "4"],
    {
      stdio: ["pipe", log, log, "pipe", "pipe"],
    },
  );
  closeSync(log);
  const pages = daemon.stdio[3] as Duplex;
  // Waits for ever on a FIFO that nobody writes to; all that counts is that it holds the socket. Given as a number: Node stops reading from a stream
  // that it gives away.
  const { fd } = (pages as unknown as { _handle: { fd: number } })._handle;
  const hold = spawn("sh", ["-c", 'read -r go && read -r line <"$0"', `${folder}/hold`], { stdio: ["pipe", "ignore", "ignore", fd] });
  const ends = new Promise<never>((_, reject) => {
    daemon.once("error", reject);
    daemon.once("exit", (code) => reject(new Error(`criu lazy-pages ended with ${code}`)));
  });
  // Of one that was never told to begin nobody asks how it ended.
  ends.catch(() => {});
  const told = [daemon, hold].map(({ stdin }) => stdin as Writable);
  for (const stdin of told) stdin.on("error", () => {});
  return {
    daemon,
    hold,
    pages,
    begin: () => {
      if (hasEnded(hold)) return Promise.reject(new Error("whoever was to hold the socket of CRIU's daemon has ended"));
      for (const stdin of told) stdin.end("go\n");
      const status = daemon.stdio[4] as Readable;
      const ready = new Promise<void>((resolve) => status.once("data", () => resolve()));
      return Promise.race([ready, ends]).finally(() => status.destroy());
    },
  };
}

/** Passes on what the daemon asks for. Resolves once it has filled in every page and ended, rejects when it ends in any other way. */
export function serveLazyDaemon({ daemon, pages }: LazyDaemon, request: (frame: Frame) => void): Promise<void> {
  let hasFinished = false;
  const read = makeFrameReader(
    () => 0,
    (frame) => {
      if (frame.command === COMMAND.get) return request(frame);
      if (frame.command !== COMMAND.close && frame.command !== COMMAND.forceClose) throw new Error(`criu said ${frame.command}`);
      hasFinished = true;
      pages.write(Buffer.alloc(4));
    },
  );
  pages.on("data", read);
  daemon.removeAllListeners("exit");
  return new Promise((resolve, reject) => {
    if (hasEnded(daemon)) reject(new Error("criu lazy-pages has ended"));
    daemon.once("exit", (code) => {
      if (code === 0 && hasFinished) resolve();
      else reject(new Error(`criu lazy-pages ended with ${code}`));
    });
  });
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;
