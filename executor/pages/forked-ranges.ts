import { readdir } from "node:fs/promises";
import { PAGE_BYTES, type PagemapEntry, type PageRange, readPagemaps } from "./pagemap-image.js";

/**
 * The ranges that another process has at the same addresses too: those that a fork has given to both, which share each page until one of them writes it.
 * Two programs that have nothing to do with each other hardly ever have any.
 */
export function findForked<Range extends PageRange>(ofProcesses: readonly (readonly Range[])[]): ReadonlySet<Range> {
  const forked = new Set<Range>();
  if (ofProcesses.length < 2) return forked;
  const all = ofProcesses.flat().sort((a, b) => a.start - b.start);
  const ends = makeRecord();
  for (const range of all) {
    const end = range.start + range.pages * PAGE_BYTES;
    // One that begins before it has not ended yet.
    if (range.start < ends.ofOthers(range.pid)) forked.add(range);
    ends.note(range.pid, end);
  }
  const begins = makeRecord();
  for (const range of all.reverse()) {
    const end = range.start + range.pages * PAGE_BYTES;
    // One that begins behind it begins before it ends.
    if (-end < begins.ofOthers(range.pid)) forked.add(range);
    begins.note(range.pid, -range.start);
  }
  return forked;
}

/** The greatest number that any process other than a given one has had. */
function makeRecord() {
  let [first, second, holder] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, -1];
  return {
    ofOthers: (pid: number) => (pid === holder ? second : first),
    note(pid: number, value: number) {
      if (pid === holder) first = Math.max(first, value);
      else if (value > first) [first, second, holder] = [value, first, pid];
      else second = Math.max(second, value);
    },
  };
}

/** Of the memory that a lazy dump left with frozen processes, what more it comes to when each gets what they share for itself. */
export async function readForkedLeft(images: string): Promise<number> {
  if (await isOfOne(images)) return 0;
  const left = (await readPagemaps(images)).map(({ entries }) => entries.filter(({ where }) => where === "left"));
  const forked: ReadonlySet<PagemapEntry> = findForked(left);
  const sizes = left.map((own) => own.reduce((sum, entry) => sum + (forked.has(entry) ? entry.pages * PAGE_BYTES : 0), 0));
  return sizes.reduce((sum, size) => sum + size, 0) - Math.max(0, ...sizes);
}

/** They need not be read, then: this is done in the freeze. */
async function isOfOne(images: string): Promise<boolean> {
  return (await readdir(images)).filter((name) => /^pagemap-\d+\.img$/.test(name)).length < 2;
}
