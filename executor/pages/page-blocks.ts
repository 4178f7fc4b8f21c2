import { lastNotAbove } from "./last-not-above.js";
import { PAGE_BYTES, type PageRange } from "./pagemap-image.js";

/** A fault brings this much along: the pages beside one that is touched are mostly touched next. */
const BLOCK_PAGES = 32;

/** The missing memory cut into blocks, numbered in the order in which CRIU's daemon fills them in. */
export interface Blocks {
  readonly count: number;
  readonly totalBytes: number;
  /** Pages of each: a copy. */
  lengths(): Uint8Array;
  at(block: number): { readonly pid: number; readonly address: number; readonly pages: number };
  /** The block that holds that page; null = none does. */
  find(pid: number, address: number): number | null;
}

/**
 * In numbers alone, since 4 GiB are 32,768 blocks and a freeze waits for it.
 * @param ranges by process, then by address
 */
export function cutIntoBlocks(ranges: readonly PageRange[]): Blocks {
  const count = ranges.reduce((sum, { pages }) => sum + Math.ceil(pages / BLOCK_PAGES), 0);
  const [pids, addresses, lengths] = [new Int32Array(count), new Float64Array(count), new Uint8Array(count)];
  /** Those of one process, from the first to behind the last. */
  const own = new Map<number, { readonly from: number; to: number }>();
  let block = 0;
  for (const { pid, start, pages } of ranges) {
    const span = own.get(pid) ?? { from: block, to: block };
    for (let done = 0; done < pages; done += BLOCK_PAGES, block++) {
      pids[block] = pid;
      addresses[block] = start + done * PAGE_BYTES;
      lengths[block] = Math.min(BLOCK_PAGES, pages - done);
    }
    span.to = block;
    own.set(pid, span);
  }
  return {
    count,
    totalBytes: ranges.reduce((sum, { pages }) => sum + pages * PAGE_BYTES, 0),
    lengths: () => lengths.slice(),
    at: (block) => ({ pid: pids[block]!, address: addresses[block]!, pages: lengths[block]! }),
    find: (pid, address) => {
      const span = own.get(pid);
      if (span === undefined) return null;
      const found = span.from + lastNotAbove(span.to - span.from, (at) => addresses[span.from + at]!, address);
      if (found < span.from) return null;
      return address < addresses[found]! + lengths[found]! * PAGE_BYTES ? found : null;
    },
  };
}
