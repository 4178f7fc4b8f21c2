import { createHash } from "node:crypto";

export const PAGE_BYTES = 4096;
const HEADER_BYTES = 16;
const PATTERN = createHash("shake256", { outputLength: 2 * PAGE_BYTES })
  .update("evenkeel rewriter")
  .digest();

/** How often a page has been rewritten once `rewritten` of all `pages` have been, round and round. */
export function generationOf(page: number, pages: number, rewritten: number): number {
  return Math.floor((rewritten + pages - 1 - page) / pages);
}

/** What `count` pages of the rewriter must hold from page `first` on; same rule as in rewriter.py. */
export function expectedPages(first: number, count: number, pages: number, rewritten: number): Buffer {
  const expected = Buffer.allocUnsafe(count * PAGE_BYTES);
  for (let page = first; page < first + count; page++) {
    const generation = generationOf(page, pages, rewritten);
    const at = (page - first) * PAGE_BYTES;
    const start = (page * 31 + generation * 17) % PAGE_BYTES;
    expected.writeBigUInt64LE(BigInt(page), at);
    expected.writeBigUInt64LE(BigInt(generation), at + 8);
    PATTERN.copy(expected, at + HEADER_BYTES, start, start + PAGE_BYTES - HEADER_BYTES);
  }
  return expected;
}
