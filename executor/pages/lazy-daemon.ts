import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Duplex, Readable } from "node:stream";

export interface LazyDaemon {
  readonly daemon: ChildProcess;
  /** Holds the daemon's socket too, for as long as it lives. */
  readonly hold: ChildProcess;
  /** Our end of that socket: CRIU's page-server protocol. */
  readonly pages: Duplex;
  /** Rejects when it ends before it waits for a restore. */
  readonly ready: Promise<void>;
}

/**
 * CRIU's lazy-pages daemon, with our socket for its page server. It fills pages that it cannot get with zeros once that socket closes, without a word: so
 * the socket must not close before it has finished, and a second process holds it too.
 */
export function startLazyDaemon(folder: string): LazyDaemon {
  const log = openSync(`${folder}/lazy-pages.out`, "a");
  const command = ["lazy-pages", "-D", `${folder}/images`, "-W", `${folder}/work`, "-o", "lazy-pages.log"];
  const daemon = spawn("criu", [...command, "--page-server", "--ps-socket", "3", "--status-fd", "4"], {
    stdio: ["ignore", log, log, "pipe", "pipe"],
  });
  closeSync(log);
  const pages = daemon.stdio[3] as Duplex;
  // Waits for ever on a FIFO that nobody writes to; all that counts is that it holds the socket. Given as a number: Node stops reading from a stream
  // that it gives away.
  const { fd } = (pages as unknown as { _handle: { fd: number } })._handle;
  const hold = spawn("sh", ["-c", 'read -r line <"$0"', `${folder}/hold`], { stdio: ["ignore", "ignore", "ignore", fd] });
  const status = daemon.stdio[4] as Readable;
  const ready = new Promise<void>((resolve, reject) => {
    status.once("data", () => resolve());
    daemon.once("error", reject);
    daemon.once("exit", (code) => reject(new Error(`criu lazy-pages ended with ${code}`)));
  }).finally(() => status.destroy());
  return { daemon, hold, pages, ready };
}
