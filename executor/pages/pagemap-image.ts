import { readdir, readFile } from "node:fs/promises";

export const PAGE_BYTES = 4096;

/** Pages that a process (by its pid in the container) has in one piece, and that the images leave out. */
export interface LazyRange {
  readonly pid: number;
  readonly start: number;
  readonly pages: number;
}

/** Two magic numbers; then messages, each behind its length (images/pagemap.proto of CRIU). */
const MAGIC_BYTES = 8;
/** Flags of a pagemap entry: `present` = its pages are in the images. */
const FLAG_LAZY = 2;
const FLAG_PRESENT = 4;
const FIELD = { start: 1, compatPages: 2, flags: 4, pages: 5 } as const;

/** All pages that a lazy dump left with the frozen processes: by process, then by address, as CRIU's daemon fills them in. */
export async function readLazyRanges(images: string): Promise<LazyRange[]> {
  const pids = (await readdir(images)).flatMap((name) => /^pagemap-(\d+)\.img$/.exec(name)?.[1] ?? []).map(Number);
  const ranges = pids.sort((a, b) => a - b).map(async (pid) => parsePagemap(await readFile(`${images}/pagemap-${pid}.img`), pid));
  return (await Promise.all(ranges)).flat();
}

export function parsePagemap(image: Buffer, pid: number): LazyRange[] {
  const ranges: LazyRange[] = [];
  let at = MAGIC_BYTES;
  // The first message only names the file of pages.
  for (let index = 0; at + 4 <= image.length; index++) {
    const end = at + 4 + image.readUInt32LE(at);
    if (end > image.length) throw new Error(`pagemap-${pid}.img ends within an entry`);
    const fields = readFields(image.subarray(at + 4, end));
    at = end;
    const flags = fields.get(FIELD.flags) ?? 0;
    if (index === 0 || (flags & FLAG_LAZY) === 0 || (flags & FLAG_PRESENT) !== 0) continue;
    const pages = fields.get(FIELD.pages) ?? fields.get(FIELD.compatPages) ?? 0;
    ranges.push({ pid, start: fields.get(FIELD.start) ?? 0, pages });
  }
  return ranges;
}

/** A message of numbers: base-128, sums instead of shifts, for an address has more than 32 bits. */
function readFields(message: Buffer): Map<number, number> {
  const fields = new Map<number, number>();
  let at = 0;
  const next = () => {
    let value = 0;
    for (let factor = 1; at < message.length; factor *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < message.length) {
    const field = next() >> 3;
    fields.set(field, next());
  }
  return fields;
}
