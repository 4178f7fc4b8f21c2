import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type MissingPiece, makeDaemonMemory } from "./daemon-memory.js";
import type { AnswerPages } from "./page-broker.js";
import { type PageFiller, startPageFiller } from "./page-filler.js";
import type { PageSpan } from "./page-wire.js";
import { PAGE_BYTES, type PageRange } from "./pagemap-image.js";

/** Gets pages that the images leave out. Answered with one of them at least, the first ones. */
export type AskForPages = (wanted: PageSpan, answer: AnswerPages) => void;

interface Watched {
  readonly log: (listen: (text: string) => void) => void;
  /** What the images leave to the daemon: by process, then by address. */
  readonly ranges: readonly PageRange[];
  readonly ask: AskForPages;
  readonly isDrained: () => boolean;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

export interface LostRequests {
  /** The daemon has asked for pages. */
  asked(request: PageSpan): void;
  /** It has been given some. */
  answered(request: Pick<PageSpan, "pid">): void;
  /** It has ended. Resolves to what became of memory by its fault, as far as its words tell; null = nothing did. */
  close(): Promise<string | null>;
}

/** What the daemon has on order for one process. */
interface Orders {
  open: number;
  /** How many there were, and how many of more than one page. */
  asked: number;
  great: number;
  /** The last of those. A single page is filled in or given back as a whole. */
  last: PageSpan | null;
}

const LOOK_MILLISECONDS = 250;
/** While nothing is on order, in that time the daemon has run so long without asking: it goes round in microseconds, but may be at 4 MiB that it was given. Others' faults come in between. */
const SAMPLE_MILLISECONDS = 8;
const IDLE_SECONDS = 0.006;
const SAMPLES = 5;
/** That it runs from one look to the next without a word, with nothing missing. */
const VAIN_SECONDS = 0.05;
const MOST_PAGES = 256;
const PARTS_A_LOOK = 8;
const MOST_TRIES = 50;
const MOST_MISHAPS = 10;
/** epoll_wait, epoll_pwait, epoll_pwait2 (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
const WAITING = { x64: [232, 281, 441], arm64: [22, 441] } as Readonly<Record<string, readonly number[]>>;
/** In which Node looks at every pipe once, and reads what is there. */
const TURNS = 3;

/**
 * Completes what CRIU's daemon loses sight of when a process gives back, unmaps or moves a part of what the daemon has on order for it (criu/uffd.c). Then threads wait for ever, and it never ends:
 * - The rest of that order is never filled in: an answer is taken for one order, of which drop_iovs has made two, or shifted the begin. It is told by this: the process lacks pages, nothing is on order
 *   for it, and the daemon runs without asking.
 * - Or the daemon does not strike that part out, for drop_iovs takes orders to be in the order of their addresses, which they are not: then the kernel refuses the answer, and the daemon asks for the same
 *   again and again.
 * The missing pages of such a process are filled in from here, by the daemon's own descriptor, and once nothing is missing anywhere the daemon is ended.
 *
 * That is right because the daemon is stopped meanwhile, at a point where it has written down all it has heard from the kernel: what it has not heard yet makes the kernel refuse
 * (EAGAIN), so no page is put where its process has something else by now.
 * It must not be stopped before the restore has finished, which is when it asks for more than one page or for the same over and over: until then it would take the interruption of its wait for an error.
 * @param log what the daemon says, from its first word on
 * @param isDrained whether it has taken all that it was given from our hands
 * @param end ends the daemon, which has nothing left to do
 * @param fail what is missing cannot be filled in
 */
export function watchForLostRequests(daemonPid: number, { log, ranges, ask, isDrained, end, fail }: Watched): LostRequests {
  const memory = makeDaemonMemory(ranges);
  const orders = new Map<number, Orders>();
  const lost = new Set<number>();
  let filler: PageFiller | null = null;
  let isClosed = false;
  let heardBytes = 0;
  /** Since when it was seen to go on with nothing missing. */
  let vain: { readonly heardBytes: number; readonly seconds: number } | null = null;
  /** Not understood at once: the workload's first faults need the processor. */
  const unheard: string[] = [];
  log((text) => {
    heardBytes += text.length;
    unheard.push(text);
  });
  const catchUp = () => memory.hear(unheard.splice(0).join(""));
  const fillerHere = () => {
    filler ??= startPageFiller(daemonPid);
    return filler;
  };

  const turns = async () => {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const stateOf = async () => (await readFile(`/proc/${daemonPid}/stat`, "utf8")).replace(/^.*\) /s, "")[0];
  /** For how long it has run by now. */
  const ranSeconds = async () => Number((await readFile(`/proc/${daemonPid}/schedstat`, "utf8")).split(" ")[0]) / 1e9;

  async function isIdle(order: Orders): Promise<boolean> {
    const { great } = order;
    for (let sample = 0; sample < SAMPLES && order.great === great; sample++) {
      const isQuiet = order.open === 0 && isDrained();
      const [{ asked }, before] = [{ ...order }, await ranSeconds()];
      await pause(SAMPLE_MILLISECONDS);
      const ran = (await ranSeconds()) - before;
      // What it has asked meanwhile may lie unread.
      await turns();
      if (isQuiet && order.asked === asked && ran >= IDLE_SECONDS) return true;
    }
    return false;
  }

  async function hasLost(pid: number, order: Orders): Promise<boolean> {
    if (memory.first(pid, 0) === null) return false;
    return memory.isRefused(pid) || (order.last !== null && (await isIdle(order)));
  }

  /** A few parts of what that process lacks, first where threads may wait. */
  async function fillSome(pid: number): Promise<void> {
    const from = orders.get(pid)?.last?.address ?? 0;
    for (let part = 0; part < PARTS_A_LOOK && !isClosed; part++) {
      const piece = memory.first(pid, from);
      if (piece === null) return;
      const { image: address, pages } = piece;
      const body = await new Promise<Buffer>((resolve) =>
        ask({ pid, address, pages: Math.min(pages, MOST_PAGES) }, (_, bodies) => resolve(Buffer.concat(bodies))),
      );
      await fill({ pid, start: address, pages: body.length / PAGE_BYTES }, body);
    }
  }

  async function fill(part: PageRange, body: Buffer): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES && memory.within(part).length > 0 && !isClosed; tries++) {
      await whileStopped(async () => {
        for (const piece of memory.within(part)) await fillPiece(piece, part, body);
      });
      await pause(1);
    }
  }

  async function fillPiece(piece: MissingPiece, part: PageRange, body: Buffer): Promise<void> {
    const from = piece.image - part.start;
    const filled = await fillerHere().fill(piece.uffd, piece.start, body.subarray(from, from + piece.pages * PAGE_BYTES));
    if (filled === "ok") memory.filled(piece);
    if (filled === "gone") memory.gone(piece.uffd);
  }

  /** Has the daemon stand still where nothing it has heard is left to be written down, and all of that read. */
  async function whileStopped(work: () => Promise<void>): Promise<void> {
    while (!isClosed) {
      process.kill(daemonPid, "SIGSTOP");
      try {
        while ((await stateOf()) !== "T") await pause(1);
        const doing = Number((await readFile(`/proc/${daemonPid}/syscall`, "utf8")).split(" ")[0]);
        if (WAITING[process.arch]?.includes(doing)) {
          await turns();
          catchUp();
          return await work();
        }
      } finally {
        if (!isClosed) process.kill(daemonPid, "SIGCONT");
      }
      await pause(1);
    }
  }

  /** Nothing is missing, and it does not end: it has an order that can never be filled. */
  async function goesOnInVain(): Promise<boolean> {
    if (orders.size === 0 || !memory.isWhole()) {
      vain = null;
      return false;
    }
    if (lost.size > 0 || [...orders.keys()].some(memory.isRefused)) return true;
    const seconds = await ranSeconds();
    if (vain?.heardBytes !== heardBytes) vain = { heardBytes, seconds };
    return seconds - vain.seconds >= VAIN_SECONDS;
  }

  async function look(): Promise<void> {
    catchUp();
    for (const { uffd, start } of memory.takeSleepers()) await fillerHere().wake(uffd, start);
    for (const [pid, order] of orders) {
      if (lost.has(pid) || !(await hasLost(pid, order))) continue;
      lost.add(pid);
      process.stderr.write(`criu's daemon has lost sight of pages of process ${pid}: they are filled in without it\n`);
    }
    for (const pid of lost) await fillSome(pid);
    if (!(await goesOnInVain())) return;
    await whileStopped(async () => {
      if (!memory.isWhole()) return;
      isClosed = true;
      end();
    });
  }

  async function run(): Promise<void> {
    for (let mishaps = 0; !isClosed; ) {
      // At once where there is more to fill in.
      if (![...lost].some((pid) => memory.first(pid, 0) !== null)) await pause(LOOK_MILLISECONDS, undefined, { ref: false });
      if (isClosed) return;
      try {
        await look();
        mishaps = 0;
      } catch (error) {
        if (isClosed) return;
        process.stderr.write(`${String(error)}\n`);
        filler?.close();
        filler = null;
        if (++mishaps > MOST_MISHAPS) return fail(error as Error);
        await pause(mishaps * LOOK_MILLISECONDS);
      }
      const spoilt = memory.spoilt();
      if (spoilt !== null && !isClosed) return fail(new Error(spoilt));
    }
  }
  void run();

  return {
    asked(request) {
      const order = orders.get(request.pid) ?? { open: 0, asked: 0, great: 0, last: null };
      order.open++;
      order.asked++;
      if (request.pages > 1) {
        order.great++;
        order.last = request;
      }
      orders.set(request.pid, order);
    },
    answered({ pid }) {
      orders.get(pid)!.open--;
    },
    async close() {
      isClosed = true;
      filler?.close();
      await turns();
      catchUp();
      return memory.spoilt();
    },
  };
}
