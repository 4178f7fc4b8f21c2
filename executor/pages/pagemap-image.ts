import { readdir, readFile } from "node:fs/promises";

export const PAGE_BYTES = 4096;

/** Pages that a process (by its pid in the container) has in one piece. */
export interface PageRange {
  readonly pid: number;
  readonly start: number;
  readonly pages: number;
}

/** One entry of a pagemap. Its pages are in the images (`present`), are left with the frozen process (`left`), or are elsewhere: in a parent's images. */
interface PagemapEntry extends PageRange {
  readonly where: "present" | "left" | "elsewhere";
  /** Where in the image its flags are. */
  readonly flagsAt: number;
}

export interface Pagemap {
  readonly pid: number;
  readonly image: Buffer;
  /** Which file has the pages, `pages-<id>.img`: those of all present entries, in their order. */
  readonly pagesId: number;
  readonly entries: readonly PagemapEntry[];
}

/** Two magic numbers; then messages, each behind its length (images/pagemap.proto of CRIU). */
const MAGIC_BYTES = 8;
const FLAG_LAZY = 2;
const FLAG_PRESENT = 4;
const FIELD = { pagesId: 1, start: 1, compatPages: 2, flags: 4, pages: 5 } as const;

export async function readPagemaps(images: string): Promise<Pagemap[]> {
  const pids = (await readdir(images)).flatMap((name) => /^pagemap-(\d+)\.img$/.exec(name)?.[1] ?? []).map(Number);
  const maps = pids.sort((a, b) => a - b).map(async (pid) => parsePagemap(await readFile(`${images}/pagemap-${pid}.img`), pid));
  return Promise.all(maps);
}

/** All pages that a lazy dump left with the frozen processes: by process, then by address, as CRIU's daemon fills them in. */
export async function readLeftRanges(images: string): Promise<PageRange[]> {
  return (await readPagemaps(images)).flatMap(({ entries }) => entries.filter(({ where }) => where === "left"));
}

/** @throws when it is cut short. */
export function parsePagemap(image: Buffer, pid: number): Pagemap {
  const entries: PagemapEntry[] = [];
  let pagesId = 0;
  let at = MAGIC_BYTES;
  for (let index = 0; at + 4 <= image.length; index++) {
    const end = at + 4 + image.readUInt32LE(at);
    if (end > image.length) throw new Error(`pagemap-${pid}.img ends within an entry`);
    const fields = readFields(image, at + 4, end);
    at = end;
    const value = (field: number) => fields.get(field)?.value ?? 0;
    // The first message only names the file of pages.
    if (index === 0) {
      pagesId = value(FIELD.pagesId);
      continue;
    }
    const flags = value(FIELD.flags);
    entries.push({
      pid,
      start: value(FIELD.start),
      pages: fields.get(FIELD.pages)?.value ?? value(FIELD.compatPages),
      where: flags & FLAG_PRESENT ? "present" : flags & FLAG_LAZY ? "left" : "elsewhere",
      flagsAt: fields.get(FIELD.flags)?.at ?? -1,
    });
  }
  return { pid, image, pagesId, entries };
}

/** The image with these entries, which were left, as present: they are read before the workload runs again. */
export function markPresent(image: Buffer, entries: readonly PagemapEntry[]): Buffer {
  const marked = Buffer.from(image);
  for (const { flagsAt } of entries) marked[flagsAt] = FLAG_PRESENT;
  return marked;
}

/** A message of numbers: base-128, sums instead of shifts, for an address has more than 32 bits. `at`: where the number begins. */
function readFields(image: Buffer, begin: number, end: number): Map<number, { value: number; at: number }> {
  const fields = new Map<number, { value: number; at: number }>();
  let at = begin;
  const next = () => {
    let value = 0;
    for (let factor = 1; at < end; factor *= 128) {
      const byte = image[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < end) {
    const field = next() >> 3;
    const valueAt = at;
    fields.set(field, { value: next(), at: valueAt });
  }
  return fields;
}
