import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type MissingPiece, makeDaemonMemory } from "./daemon-memory.js";
import type { AnswerPages } from "./page-broker.js";
import { type PageFiller, startPageFiller } from "./page-filler.js";
import type { PageSpan } from "./page-wire.js";
import { PAGE_BYTES, type PageRange } from "./pagemap-image.js";

/** Gets pages that the images leave out. Answered with one of them at least, the first ones. */
export type AskForPages = (wanted: PageSpan, answer: AnswerPages) => void;

export interface LostRequests {
  /** The daemon has asked for pages. */
  asked(request: PageSpan): void;
  /** It has been given some. */
  answered(request: Pick<PageSpan, "pid">): void;
  /** It has ended. */
  close(): void;
}

/** What the daemon has on order for one process. */
interface Orders {
  open: number;
  /** The last of more than one page: a single one is filled in or given back as a whole. Null: there was none. */
  great: PageSpan | null;
  /** Its processor time when it was first seen to lack pages and to have none on order. */
  idleSince: number | null;
  /** What it asks for again and again, if anything, and how much more often than for the rest. */
  repeated: number;
  repeats: number;
}

const LOOK_MILLISECONDS = 250;
/** Some come of a process that changes its mappings at that moment, or has children that lack the same page. */
const MOST_REPEATS = 100;
/** Of processor time, in ticks of 10 ms, in which the daemon has asked for nothing of a process although it lacks pages: it goes round thousands of times in that. */
const IDLE_TICKS = 3;
const MOST_PAGES = 256;
/** epoll_wait, epoll_pwait, epoll_pwait2 (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
const WAITING = { x64: [232, 281, 441], arm64: [22, 441] } as Readonly<Record<string, readonly number[]>>;
/** In which Node looks at every pipe once, and reads what is there. */
const TURNS = 3;

/**
 * Completes what CRIU's daemon loses sight of when a process gives back, unmaps or moves a part of what the daemon has on order for it (criu/uffd.c). Then threads wait for ever, and it never ends:
 * - The rest of that order is never filled in: an answer is taken for one order, of which drop_iovs has made two, or shifted the begin. It is told by this: the process lacks pages, nothing is on order
 *   for it, and the daemon runs all the time without asking.
 * - Or the daemon does not strike that part out, for drop_iovs takes orders to be in the order of their addresses, which they are not: then the kernel refuses the answer, and the daemon asks for the same
 *   again and again.
 * The missing pages of such a process are filled in from here, by the daemon's own descriptor, and once nothing is missing anywhere the daemon is ended.
 *
 * That is right because the daemon is stopped meanwhile, at a point where it has written down all it has heard from the kernel: what it has not heard yet makes the kernel refuse
 * (EAGAIN), so no page is put where its process has something else by now.
 * @param log what the daemon says, from its first word on
 * @param end ends the daemon, which has nothing left to do
 */
export function watchForLostRequests(
  daemonPid: number,
  log: (listen: (text: string) => void) => void,
  ranges: readonly PageRange[],
  ask: AskForPages,
  end: () => void,
  fail: (error: Error) => void,
): LostRequests {
  const memory = makeDaemonMemory(ranges);
  const orders = new Map<number, Orders>();
  let filler: PageFiller | null = null;
  let isClosed = false;
  /** Not understood at once: the workload's first faults need the processor. */
  const unheard: string[] = [];
  log((text) => void unheard.push(text));
  const catchUp = () => memory.hear(unheard.splice(0).join(""));

  const turns = async () => {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const statusOf = async () => (await readFile(`/proc/${daemonPid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");

  async function lookAt(pid: number, order: Orders): Promise<void> {
    if (memory.first(pid, 0) === null) return;
    if (order.repeats >= MOST_REPEATS) return complete(pid, order.repeated);
    if (order.open > 0 || order.great === null) return;
    const status = await statusOf();
    // What it has asked meanwhile may lie unread.
    await turns();
    if (order.open > 0) return;
    const ticks = Number(status[11]) + Number(status[12]);
    order.idleSince ??= ticks;
    if (ticks - order.idleSince >= IDLE_TICKS) await complete(pid, order.great.address);
  }

  /** First where threads may wait. */
  async function complete(pid: number, lost: number): Promise<void> {
    process.stderr.write(`criu's daemon has lost sight of pages of process ${pid}: they are filled in without it\n`);
    for (let piece = memory.first(pid, lost); piece !== null && !isClosed; piece = memory.first(pid, lost)) {
      const { image: address, pages } = piece;
      const body = await new Promise<Buffer>((resolve) =>
        ask({ pid, address, pages: Math.min(pages, MOST_PAGES) }, (_, bodies) => resolve(Buffer.concat(bodies))),
      );
      await fill({ pid, start: address, pages: body.length / PAGE_BYTES }, body);
    }
  }

  async function fill(part: PageRange, body: Buffer): Promise<void> {
    while (memory.within(part).length > 0 && !isClosed) {
      await whileStopped(async () => {
        for (const piece of memory.within(part)) await fillPiece(piece, part, body);
      });
      await pause(1);
    }
  }

  async function fillPiece(piece: MissingPiece, part: PageRange, body: Buffer): Promise<void> {
    filler ??= startPageFiller(daemonPid);
    const from = piece.image - part.start;
    const filled = await filler.fill(piece.uffd, piece.start, body.subarray(from, from + piece.pages * PAGE_BYTES));
    if (filled === "ok") memory.filled(piece);
    if (filled === "gone") memory.gone(piece.uffd);
  }

  /** Has the daemon stand still where nothing it has heard is left to be written down, and all of that read. */
  async function whileStopped(work: () => Promise<void>): Promise<void> {
    for (;;) {
      process.kill(daemonPid, "SIGSTOP");
      try {
        while ((await statusOf())[0] !== "T") await pause(1);
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

  async function look(): Promise<void> {
    catchUp();
    for (const [pid, order] of orders) await lookAt(pid, order);
    if (filler === null || !memory.isWhole()) return;
    await whileStopped(async () => {
      if (!memory.isWhole()) return;
      isClosed = true;
      end();
    });
  }

  async function run(): Promise<void> {
    while (!isClosed) {
      await pause(LOOK_MILLISECONDS, undefined, { ref: false });
      if (!isClosed) await look();
    }
  }
  run().catch((error: Error) => {
    if (!isClosed) fail(error);
  });

  return {
    asked(request) {
      const order = orders.get(request.pid) ?? { open: 0, great: null, idleSince: null, repeated: 0, repeats: 0 };
      order.open++;
      if (order.repeats === 0) order.repeated = request.address;
      order.repeats += request.address === order.repeated ? 1 : -1;
      order.idleSince = null;
      if (request.pages > 1) order.great = request;
      orders.set(request.pid, order);
    },
    answered({ pid }) {
      orders.get(pid)!.open--;
    },
    close() {
      isClosed = true;
      filler?.close();
    },
  };
}
