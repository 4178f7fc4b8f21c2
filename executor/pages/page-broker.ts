import { makeLinkWindow } from "./link-window.js";
import type { Blocks } from "./page-blocks.js";
import type { Frame } from "./page-wire.js";
import { PAGE_BYTES } from "./pagemap-image.js";

/** Here and not asked for yet by the daemon. It takes them faster than a link brings them; this is for pages that the workload has freed meanwhile. */
const STASH_BYTES = 64 << 20;
/** For so long after the first request nothing is sent ahead: whoever waits for the workload's first answers needs the processors. */
const CALM_SECONDS = 0.5;

export interface PageBroker {
  /** The daemon asks for pages. @throws for a page that no image tells of. */
  request(frame: Frame): void;
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
  /** Monotonic. */
  seconds(): number;
}

/**
 * Stands between CRIU's daemon, which wants answers in the order of its requests, and the source, which gives any block at any time. Pure but for what
 * it is given.
 */
export function makePageBroker(blocks: Blocks, out: Outside): PageBroker {
  const requests: Frame[] = [];
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

  /** Blocks that a request waits for. One page alone is a fault: a thread stands still for it. */
  function want({ pid, address, pages }: Frame): void {
    const missing: number[] = [];
    for (let page = 0; page < pages; ) {
      const block = blockOf(pid, address + page * PAGE_BYTES);
      if (isWanting(block) && !urgent.includes(block)) missing.push(block);
      const { address: start, pages: length } = blocks.at(block);
      page = (start - address) / PAGE_BYTES + length;
    }
    if (pages === 1) urgent.unshift(...missing);
    else urgent.push(...missing);
  }

  /** Answers the oldest request with as many of its pages as are here: fewer than asked for is allowed, none is not. */
  function answerFirst(): boolean {
    const [first] = requests;
    if (first === undefined) return false;
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
    out.answer({ pid: first.pid, address: first.address, pages: given }, bodies);
    return true;
  }

  const goOn = () => {
    while (answerFirst());
    pump();
  };

  return {
    request(frame) {
      calmUntil = Math.min(calmUntil, out.seconds() + CALM_SECONDS);
      requests.push(frame);
      want(frame);
      goOn();
    },
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
