import { lastNotAbove } from "./last-not-above.js";
import { PAGE_BYTES, type PageRange } from "./pagemap-image.js";

/** A fault brings this much along: the pages beside one that is touched are mostly touched next. */
const BLOCK_PAGES = 32;

/** The missing memory cut into blocks, numbered in the order in which CRIU's daemon fills them in. */
export interface Blocks {
  readonly count: number;
  readonly totalBytes: number;
  at(block: number): { readonly pid: number; readonly address: number; readonly pages: number };
  /** The block that holds that page; null = none does. */
  find(pid: number, address: number): number | null;
}

export function cutIntoBlocks(ranges: readonly PageRange[]): Blocks {
  const blocks: { pid: number; address: number; pages: number }[] = [];
  const perProcess = new Map<number, { readonly address: number; readonly block: number }[]>();
  for (const range of ranges) {
    const own = perProcess.get(range.pid) ?? [];
    perProcess.set(range.pid, own);
    for (let done = 0; done < range.pages; done += BLOCK_PAGES) {
      const block = { pid: range.pid, address: range.start + done * PAGE_BYTES, pages: Math.min(BLOCK_PAGES, range.pages - done) };
      own.push({ address: block.address, block: blocks.length });
      blocks.push(block);
    }
  }
  return {
    count: blocks.length,
    totalBytes: blocks.reduce((sum, { pages }) => sum + pages * PAGE_BYTES, 0),
    at: (block) => blocks[block]!,
    find: (pid, address) => {
      const own = perProcess.get(pid) ?? [];
      const found = own[lastNotAbove(own.length, (at) => own[at]!.address, address)];
      if (found === undefined) return null;
      return address < found.address + blocks[found.block]!.pages * PAGE_BYTES ? found.block : null;
    },
  };
}
