import { book, type Pace } from "../channel/pace.js";
import { makeLinkWindow } from "./link-window.js";
import type { Blocks } from "./page-blocks.js";
import type { Frame, PageSpan } from "./page-wire.js";
import { PAGE_BYTES } from "./pagemap-image.js";

/** Here and not asked for yet by the daemon. It takes them faster than a link brings them; this is for pages that the workload has freed meanwhile. */
const STASH_BYTES = 64 << 20;
/** For so long after the first request nothing is sent ahead: whoever waits for the workload's first answers needs the processors. */
const CALM_SECONDS = 0.5;
/**
 * In that time what no thread waits for is answered when a fault comes after it, or none has come for so long: not before, since the daemon asks for more of it at once, and a
 * fault waits for whatever was asked for before it; and not much later, for of a thread that touches a page of it nothing is heard.
 */
const QUIET_SECONDS = 0.004;
/** Faults take of the pace without asking. What they took beyond it holds back the rest no longer than this: as long as any is missing, both nodes are needed. */
const DEBT_SECONDS = 1;

export interface PageBroker {
  /** The daemon asks for pages, or somebody in its place. @throws for a page that no image tells of. */
  request(wanted: PageSpan, answer: AnswerPages): void;
  /** Time has passed: what was held back may go. */
  look(): void;
  /** A block has come from the source. */
  arrived(frame: Frame, body: Buffer): void;
  /** There is a (new) connection to the source: whatever was asked on an older one is asked again. */
  connected(): void;
  /** So many bytes a second may be asked for that no thread waits for; null = what the link takes. */
  keepTo(bytesPerSecond: number | null): void;
  /** Bytes that have arrived at least once. */
  doneBytes(): number;
}

/** Takes the first of the pages that were asked for, at least one, and tells whose they are. */
export type AnswerPages = (given: PageSpan, bodies: readonly Buffer[]) => void;

interface Outside {
  /** False: there is no connection now. */
  ask(block: PageSpan): boolean;
  /** `look` is to be called after that many seconds, and no more for what was said before. */
  wake(seconds: number): void;
  /** Monotonic. */
  seconds(): number;
}

/** One page alone: a thread stands still for it. */
const isFault = ({ pages }: PageSpan) => pages === 1;

/**
 * Stands between CRIU's daemon, which wants answers in the order of its requests, and the source, which gives any block at any time. Pure but for what
 * it is given.
 */
export function makePageBroker(blocks: Blocks, out: Outside): PageBroker {
  const requests: (PageSpan & { readonly answer: AnswerPages })[] = [];
  /** Blocks that a thread stands still for, or that the daemon asks for first, faults or not; and those that it has asked for on its own account. */
  const urgent: number[] = blocks.count > 0 ? [0] : [];
  const wanted: number[] = [];
  const asked = new Map<number, number>();
  let window = makeLinkWindow();
  let pace: Pace | null = null;
  const stash = new Map<number, Buffer>();
  const seen = new Uint8Array(blocks.count);
  const left = blocks.lengths();
  let [askedBytes, stashBytes, doneBytes, cursor] = [0, 0, 0, 0];
  let calmUntil = Number.POSITIVE_INFINITY;
  let requestedAt = Number.NEGATIVE_INFINITY;
  /** The first of what only time brings. */
  let lookSeconds = Number.POSITIVE_INFINITY;
  const sizeOf = (block: number) => blocks.at(block).pages * PAGE_BYTES;
  const isWanting = (block: number) => !stash.has(block) && !asked.has(block);

  function blockOf(pid: number, address: number): number {
    const block = blocks.find(pid, address);
    if (block === null)
      throw new Error(`process ${pid} was asked for a page at 0x${address.toString(16)} that its images do not leave out`);
    return block;
  }

  /** The block to be sent although nobody waits for it. */
  function ahead(): number | null {
    if (out.seconds() < calmUntil || stashBytes + askedBytes >= STASH_BYTES) return null;
    while (cursor < blocks.count) {
      const block = cursor++;
      if (seen[block] === 0 && isWanting(block)) return block;
    }
    return null;
  }

  function pump(): void {
    while (askedBytes < window.bytes()) {
      const block = urgent.shift() ?? withinPace();
      if (block === null) return;
      if (!isWanting(block)) continue;
      if (pace !== null) {
        const now = out.seconds();
        book(pace, sizeOf(block), now);
        pace.freeAt = Math.min(pace.freeAt, now + DEBT_SECONDS);
      }
      asked.set(block, out.seconds());
      askedBytes += sizeOf(block);
      // Without a connection it stays in `asked`, and is asked for as soon as there is one.
      out.ask(blocks.at(block));
    }
  }

  /** A block that no thread stands still for, unless the pace forbids it now. */
  function withinPace(): number | null {
    const waitSeconds = pace === null ? 0 : pace.freeAt - out.seconds();
    if (waitSeconds <= 0) return wanted.shift() ?? ahead();
    if (wanted.length > 0 || cursor < blocks.count) lookSeconds = Math.min(lookSeconds, waitSeconds);
    return null;
  }

  /** Blocks that a request of the daemon's own waits for. */
  function want({ pid, address, pages }: PageSpan): void {
    for (let page = 0; page < pages; ) {
      const block = blockOf(pid, address + page * PAGE_BYTES);
      if (isWanting(block) && !urgent.includes(block) && !wanted.includes(block)) wanted.push(block);
      const { address: start, pages: length } = blocks.at(block);
      page = (start - address) / PAGE_BYTES + length;
    }
  }

  /** Each request that is older than a fault must be answered before it, for which its first block is enough. */
  function hurry(): void {
    for (let at = requests.findLastIndex(isFault); at >= 0; at--) {
      const { pid, address } = requests[at]!;
      const block = blockOf(pid, address);
      if (!isWanting(block) || urgent.includes(block)) continue;
      if (wanted.includes(block)) wanted.splice(wanted.indexOf(block), 1);
      urgent.unshift(block);
    }
  }

  /** How long the oldest request is still held back. */
  function heldSeconds(first: PageSpan): number {
    const now = out.seconds();
    if (isFault(first) || requests.length > 1 || now >= calmUntil) return 0;
    return requestedAt + QUIET_SECONDS - now;
  }

  /** Answers the oldest request with as many of its pages as are here: fewer than asked for is allowed, none is not. */
  function answerFirst(): boolean {
    const [first] = requests;
    if (first === undefined) return false;
    const seconds = heldSeconds(first);
    if (seconds > 0) {
      lookSeconds = Math.min(lookSeconds, seconds);
      return false;
    }
    const bodies: Buffer[] = [];
    let given = 0;
    while (given < first.pages) {
      const address = first.address + given * PAGE_BYTES;
      const block = blockOf(first.pid, address);
      const body = stash.get(block);
      if (body === undefined) break;
      const from = (address - blocks.at(block).address) / PAGE_BYTES;
      const count = Math.min(blocks.at(block).pages - from, first.pages - given);
      bodies.push(body.subarray(from * PAGE_BYTES, (from + count) * PAGE_BYTES));
      given += count;
      left[block] = Math.max(0, left[block]! - count);
      // A process that has forked may ask again for what was given: then it is fetched again.
      if (left[block] === 0 && stash.delete(block)) stashBytes -= sizeOf(block);
    }
    if (given === 0) {
      want(first);
      return false;
    }
    requests.shift();
    first.answer({ pid: first.pid, address: first.address, pages: given }, bodies);
    return true;
  }

  const goOn = () => {
    lookSeconds = Number.POSITIVE_INFINITY;
    while (answerFirst());
    hurry();
    pump();
    if (lookSeconds < Number.POSITIVE_INFINITY) out.wake(lookSeconds);
  };

  return {
    request({ pid, address, pages }, answer) {
      requestedAt = out.seconds();
      calmUntil = Math.min(calmUntil, requestedAt + CALM_SECONDS);
      const request = { pid, address, pages, answer };
      requests.push(request);
      want(request);
      goOn();
    },
    look: goOn,
    arrived({ pid, address }, body) {
      const block = blockOf(pid, address);
      if (body.length !== sizeOf(block)) throw new Error(`block ${block} came with ${body.length} bytes`);
      const askedAt = asked.get(block);
      if (askedAt !== undefined) window.answered(out.seconds() - askedAt);
      if (asked.delete(block)) askedBytes -= sizeOf(block);
      if (!stash.has(block)) {
        stash.set(block, body);
        stashBytes += sizeOf(block);
      }
      if (seen[block] === 0) doneBytes += sizeOf(block);
      seen[block] = 1;
      goOn();
    },
    connected() {
      // Another link, perhaps; and what was asked in vain says nothing about it.
      window = makeLinkWindow();
      for (const block of asked.keys()) {
        asked.set(block, out.seconds());
        if (!out.ask(blocks.at(block))) return;
      }
      goOn();
    },
    keepTo(bytesPerSecond) {
      if (bytesPerSecond === (pace?.bytesPerSecond ?? null)) return;
      pace = bytesPerSecond === null ? null : { bytesPerSecond, freeAt: pace?.freeAt ?? 0 };
      goOn();
    },
    doneBytes: () => doneBytes,
  };
}
