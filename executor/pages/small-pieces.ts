import { PAGE_BYTES, type PageRange } from "./pagemap-image.js";

/**
 * Pieces of memory up to this are heaps, stacks and libraries' data: every program needs them as soon as it runs, and each page that is not there would
 * take a turn of its own.
 */
const SMALL_BYTES = 4 << 20;
/** What may be put before the resume on that account. */
const ALONG_BYTES = 8 << 20;

/** Of the ranges of each process, in order of address, those that make up small pieces: the smallest first, as many as may be. */
export function chooseSmall<Range extends PageRange>(ofProcesses: readonly (readonly Range[])[]): ReadonlySet<Range> {
  const chosen = new Set<Range>();
  let left = ALONG_BYTES;
  for (const { bytes, parts } of ofProcesses.flatMap(joinNeighbours).sort((one, other) => one.bytes - other.bytes)) {
    left -= bytes;
    if (left < 0 || bytes > SMALL_BYTES) break;
    for (const part of parts) chosen.add(part);
  }
  return chosen;
}

/** CRIU cuts a large piece into entries of 4 MiB; what adjoins is one piece. */
function joinNeighbours<Range extends PageRange>(ranges: readonly Range[]): { bytes: number; parts: Range[] }[] {
  const pieces: { bytes: number; end: number; parts: Range[] }[] = [];
  for (const range of ranges) {
    const bytes = range.pages * PAGE_BYTES;
    const last = pieces.at(-1);
    if (last?.end === range.start) {
      last.bytes += bytes;
      last.end += bytes;
      last.parts.push(range);
    } else pieces.push({ bytes, end: range.start + bytes, parts: [range] });
  }
  return pieces;
}
