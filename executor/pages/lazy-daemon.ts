import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Duplex, Readable, Writable } from "node:stream";
import { type AskForPages, watchForLostRequests } from "./lost-requests.js";
import { COMMAND, encodeFrame, makeFrameReader } from "./page-wire.js";
import type { PageRange } from "./pagemap-image.js";

/** Of what it said, told when it has failed. */
const LAST_WORDS = 2000;

/** What Node keeps to itself of a socket to a child. */
interface SocketHandle {
  readonly fd: number;
  setBlocking(waits: boolean): void;
}

export interface LazyDaemon {
  readonly daemon: ChildProcess;
  /** Holds the daemon's socket too, for as long as it lives. */
  readonly hold: ChildProcess;
  /** Our end of that socket: CRIU's page-server protocol. */
  readonly pages: Duplex;
  /** What it says, from its first word on. */
  log(listen: (text: string) => void): void;
  /** The images are here. Resolves when it waits for a restore, rejects when it ends before that. */
  begin(): Promise<void>;
}

/**
 * CRIU's lazy-pages daemon, with our socket for its page server. It fills pages that it cannot get with zeros once that socket closes, without a word: so
 * the socket must not close before it has finished, and a second process holds it too. Both are made ahead of the freeze: a copy of this process takes
 * milliseconds in which it does nothing else.
 */
export function prepareLazyDaemon(folder: string): LazyDaemon {
  const errors = openSync(`${folder}/lazy-pages.out`, "a");
  const command = ["criu", "lazy-pages", "-D", `${folder}/images`, "-W", `${folder}/work`, "-v4", "-o", "-"];
  // Each ends with us unless it has been told to begin.
  const daemon = spawn(
    "sh",
    ["-c", 'read -r go && exec "$@" </dev/null', "sh", ...command, "--page-server", "--ps-socket", "3", "--status-fd", "4"],
    {
      stdio: ["pipe", "pipe", errors, "pipe", "pipe"],
    },
  );
  closeSync(errors);
  const pages = daemon.stdio[3] as Duplex;
  const said = daemon.stdout as Readable;
  const log = keepText(said);
  // Waits for ever on a FIFO that nobody writes to; all that counts is that it holds the socket, and who listens to the daemon's words: it would end at the next. Given as
  // numbers: Node stops reading from a stream that it gives away.
  const handles = [pages, said].map((stream) => (stream as unknown as { _handle: SocketHandle })._handle);
  const hold = spawn("sh", ["-c", 'read -r go && read -r line <"$0"', `${folder}/hold`], {
    stdio: ["pipe", "ignore", "ignore", ...handles.map(({ fd }) => fd)],
  });
  // Some of libuv's versions have a child's descriptors wait, and so ours, which are the same: we would wait for a daemon that waits for us.
  for (const handle of handles) handle.setBlocking(false);
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
    log,
    begin: () => {
      if (hasEnded(hold)) return Promise.reject(new Error("whoever was to hold the socket of CRIU's daemon has ended"));
      for (const stdin of told) stdin.end("go\n");
      const status = daemon.stdio[4] as Readable;
      const ready = new Promise<void>((resolve) => status.once("data", () => resolve()));
      return Promise.race([ready, ends]).finally(() => status.destroy());
    },
  };
}

/**
 * Passes on what the daemon asks for. Resolves once every page is filled in and the daemon has ended, rejects when it ends in any other way.
 * @param ranges what the images leave to it: by process, then by address
 */
export function serveLazyDaemon({ daemon, pages, log }: LazyDaemon, ranges: readonly PageRange[], ask: AskForPages): Promise<void> {
  let hasFinished = false;
  let lastWords = "";
  log((text) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  daemon.removeAllListeners("exit");
  return new Promise((resolve, reject) => {
    const end = () => {
      hasFinished = true;
      daemon.kill("SIGKILL");
    };
    const isDrained = () => pages.writableLength === 0;
    const lost = watchForLostRequests(daemon.pid!, { log, ranges, ask, isDrained, end, fail: reject });
    const read = makeFrameReader(
      () => 0,
      (frame) => {
        if (frame.command === COMMAND.get) {
          lost.asked(frame);
          return ask(frame, (given, bodies) => {
            lost.answered(frame);
            pages.cork();
            pages.write(encodeFrame({ ...given, command: COMMAND.pages }));
            for (const body of bodies) pages.write(body);
            pages.uncork();
          });
        }
        if (frame.command !== COMMAND.close && frame.command !== COMMAND.forceClose) throw new Error(`criu said ${frame.command}`);
        hasFinished = true;
        pages.write(Buffer.alloc(4));
      },
    );
    pages.on("data", read);
    // Broken only when the daemon ends, which is told below.
    pages.on("error", () => {});
    const ended = (code: number | null) => {
      const spoilt = lost.close();
      // At once: the workload runs on with zeros.
      if (!hasFinished || (code !== 0 && daemon.signalCode !== "SIGKILL"))
        return reject(new Error(`criu lazy-pages ended with ${code ?? daemon.signalCode}: ${lastWords}`));
      spoilt.then((words) => (words === null ? resolve() : reject(new Error(words))), reject);
    };
    if (hasEnded(daemon)) ended(daemon.exitCode);
    else daemon.once("exit", ended);
  });
}

/** Whoever listens hears what was said before as well. */
function keepText(stream: Readable): (listen: (text: string) => void) => void {
  const listeners: ((text: string) => void)[] = [];
  let before = "";
  stream.setEncoding("latin1");
  stream.on("error", () => {});
  stream.on("data", (text: string) => {
    if (listeners.length === 0) before += text;
    for (const listen of listeners) listen(text);
  });
  return (listen) => {
    listen(before);
    listeners.push(listen);
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;
