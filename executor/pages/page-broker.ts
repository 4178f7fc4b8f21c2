import { makeLinkWindow } from "./link-window.js";
import type { Blocks } from "./page-blocks.js";
import type { Frame } from "./page-wire.js";
import { PAGE_BYTES } from "./pagemap-image.js";

/** Here and not asked for yet by the daemon. It takes them faster than a link brings them; this is for pages that the workload has freed meanwhile. */
const STASH_BYTES = 64 << 20;
/** For so long after the first request nothing is sent ahead: whoever waits for the workload's first answers needs the processors. */
const CALM_SECONDS = 0.5;
/** In that time, what no thread waits for waits until none has waited for so long; */
const QUIET_SECONDS = 0.004;
/** but not for longer than this, for a thread that touches a page of it is not heard of. */
const HELD_SECONDS = 0.02;

export interface PageBroker {
  /** The daemon asks for pages. @throws for a page that no image tells of. */
  request(frame: Frame): void;
  /** Time has passed: what was held back may go. */
  look(): void;
  /** A block has come from the source. */
  arrived(frame: Frame, body: Buffer): void;
  /** There is a (new) connection to the source: whatever was asked on an older one is asked again. */
  connected(): void;
  /** Bytes that have arrived at least once. */
  doneBytes(): number;
}

interface Outside {
  /** False: there is no connection now. */
  ask(frame: Pick<Frame, "pid" | "address" | "pages">): boolean;
  answer(frame: Omit<Frame, "command">, bodies: Buffer[]): void;
  /** `look` is to be called after that many seconds. */
  wake(seconds: number): void;
  /** Monotonic. */
  seconds(): number;
}

interface Pending extends Frame {
  readonly since: number;
}

/** One page alone is a fault: a thread stands still for it. */
const isFault = ({ pages }: Frame) => pages === 1;

/**
 * Stands between CRIU's daemon and the source, which gives any block at any time. Pure but for what it is given. The daemon finds what an answer is to
 * by its address, yet reads it with the length of its oldest request, and for that one's process; so an answer may overtake others if it has no more pages
 * than the oldest request, and is for the same process. @param overtakes false: the daemon is none of which that is known.
 */
export function makePageBroker(blocks: Blocks, out: Outside, overtakes: boolean): PageBroker {
  const requests: Pending[] = [];
  /** What the daemon reads the next answers for. */
  const turns: Pick<Frame, "pid" | "pages">[] = [];
  let faultAt = Number.NEGATIVE_INFINITY;
  const urgent: number[] = [];
  const asked = new Map<number, number>();
  let window = makeLinkWindow();
  const stash = new Map<number, Buffer>();
  const seen = new Uint8Array(blocks.count);
  const left = Uint8Array.from({ length: blocks.count }, (_, block) => blocks.at(block).pages);
  let [askedBytes, stashBytes, doneBytes, cursor] = [0, 0, 0, 0];
  let calmUntil = Number.POSITIVE_INFINITY;
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
      const wanted = urgent.shift();
      if (wanted !== undefined && !isWanting(wanted)) continue;
      const block = wanted ?? ahead();
      if (block === null) return;
      asked.set(block, out.seconds());
      askedBytes += sizeOf(block);
      // Without a connection it stays in `asked`, and is asked for as soon as there is one.
      out.ask(blocks.at(block));
    }
  }

  /** Blocks that a request waits for. */
  function want(request: Frame): void {
    const { pid, address, pages } = request;
    const missing: number[] = [];
    for (let page = 0; page < pages; ) {
      const block = blockOf(pid, address + page * PAGE_BYTES);
      if (isWanting(block) && !urgent.includes(block)) missing.push(block);
      const { address: start, pages: length } = blocks.at(block);
      page = (start - address) / PAGE_BYTES + length;
    }
    if (isFault(request)) urgent.unshift(...missing);
    else urgent.push(...missing);
  }

  /** How long a request is still held back for the sake of faults. */
  function heldSeconds(request: Pending): number {
    const now = out.seconds();
    if (!overtakes || isFault(request) || now >= calmUntil) return 0;
    return Math.min(faultAt + QUIET_SECONDS - now, request.since + HELD_SECONDS - now);
  }

  /** The request to be answered next; null = none can be. */
  function pick(): Pending | null {
    const [turn] = turns;
    const [oldest] = requests;
    if (turn === undefined || oldest === undefined) return null;
    const isHere = ({ pid, address }: Frame) => stash.has(blockOf(pid, address));
    const mine = overtakes ? requests.filter(({ pid }) => pid === turn.pid) : [oldest];
    for (const request of mine) if (!isHere(request)) want(request);
    const here = mine.filter(isHere);
    const fault = here.find(isFault);
    if (fault !== undefined) return fault;
    const [first] = here;
    if (first === undefined) return null;
    const seconds = heldSeconds(first);
    if (seconds <= 0) return first;
    out.wake(seconds);
    return null;
  }

  /** Answers a request with as many of its pages as are here: fewer than asked for is allowed, none is not. */
  function answerNext(): boolean {
    const next = pick();
    if (next === null) return false;
    const most = Math.min(next.pages, turns[0]!.pages);
    const bodies: Buffer[] = [];
    let given = 0;
    while (given < most) {
      const address = next.address + given * PAGE_BYTES;
      const block = blockOf(next.pid, address);
      const body = stash.get(block);
      if (body === undefined) break;
      const from = (address - blocks.at(block).address) / PAGE_BYTES;
      const count = Math.min(blocks.at(block).pages - from, most - given);
      bodies.push(body.subarray(from * PAGE_BYTES, (from + count) * PAGE_BYTES));
      given += count;
      left[block] = Math.max(0, left[block]! - count);
      // A process that has forked may ask again for what was given: then it is fetched again.
      if (left[block] === 0 && stash.delete(block)) stashBytes -= sizeOf(block);
    }
    turns.shift();
    requests.splice(requests.indexOf(next), 1);
    out.answer({ pid: next.pid, address: next.address, pages: given }, bodies);
    return true;
  }

  const goOn = () => {
    while (answerNext());
    pump();
  };

  return {
    request(frame) {
      const since = out.seconds();
      calmUntil = Math.min(calmUntil, since + CALM_SECONDS);
      if (isFault(frame)) faultAt = since;
      requests.push({ ...frame, since });
      turns.push(frame);
      want(frame);
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
      pump();
    },
    doneBytes: () => doneBytes,
  };
}
