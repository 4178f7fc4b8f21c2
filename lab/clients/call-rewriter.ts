import { crc32 } from "node:zlib";
import { Connection } from "./connection.js";
import type { Caller } from "./dialogue.js";
import { expectedPages, generationOf, PAGE_BYTES } from "./expected-page.js";
import { type LineRequest, lineDialogue } from "./line-exchange.js";

/** Pages of one window: 256 MB are gone through in 1,024 requests. */
const WINDOW_PAGES = 64;

/** Checks all of the rewriter's memory window by window, round and round, and in between one page at random byte by byte. */
export function makeRewriterCaller(random: () => number = Math.random): Caller {
  return async (address) => {
    let pages = 1;
    let rewrittenSeen = 0;
    let windowFirst = 0;
    let asked = 0;

    /** Null once the counts make no sense: contents cannot be judged then. */
    function counted(fields: readonly string[]): string | null {
      const [pageCount, rewritten] = [Number(fields[0]), Number(fields[1])];
      if (!(rewritten >= rewrittenSeen)) return `${fields[1]} pages rewritten, but ${rewrittenSeen} were before`;
      [pages, rewrittenSeen] = [pageCount, rewritten];
      return null;
    }

    function window(): LineRequest {
      const first = windowFirst;
      const count = Math.min(WINDOW_PAGES, pages - first);
      windowFirst = first + count < pages ? first + count : 0;
      return {
        words: `window ${first} ${count}`,
        check: (fields) => {
          const fault = counted(fields);
          if (fault) return [fault];
          const expected = crc32(expectedPages(first, count, pages, rewrittenSeen))
            .toString(16)
            .padStart(8, "0");
          return fields[2] === expected ? [] : [`pages ${first} to ${first + count - 1} have checksum ${fields[2]}, expected ${expected}`];
        },
      };
    }

    function page(): LineRequest {
      const number = Math.floor(random() * pages);
      return {
        words: `page ${number}`,
        check: (fields) => {
          const fault = counted(fields);
          if (fault) return [fault];
          const held = Buffer.from(fields[2] ?? "", "base64");
          if (held.equals(expectedPages(number, 1, pages, rewrittenSeen))) return [];
          const found =
            held.length === PAGE_BYTES ? `says page ${held.readBigUInt64LE(0)} generation ${held.readBigUInt64LE(8)}` : "is cut short";
          return [`page ${number} ${found}, expected generation ${generationOf(number, pages, rewrittenSeen)}`];
        },
      };
    }

    return lineDialogue(await Connection.open(address), () => (asked++ % 2 === 0 ? page() : window()));
  };
}
