import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writevSync,
} from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { EvenkeelError } from "../../platform/errors.js";
import type { Area } from "./lazy-areas.js";
import { markPresent, PAGE_BYTES, type Pagemap, type PagemapEntry, type PageRange, readPagemaps } from "./pagemap-image.js";
import { readPresent } from "./present-pages.js";
import { chooseSmall } from "./small-pieces.js";

/** The file of pages has to be written anew for it: not where much of a process crosses anyway. */
const REWRITTEN_BYTES = 64 << 20;
const NEWLINE = 10;
/** That one call of writev(2) takes. */
const MOST_VECTORS = 1024;

/** Where to find small pieces of frozen processes. */
export interface FrozenProcess {
  /** In the container, and here. */
  readonly pid: number;
  readonly here: number;
  readonly areas: readonly Area[];
}

/**
 * Puts the small pieces that a lazy dump left with the frozen processes into its images after all, the smallest first. `pids`: those in the container to
 * those here. Returns the bytes added. @throws CHECKPOINT_FAILED
 */
export async function takeAlong(images: string, pids: Readonly<Record<number, number>>): Promise<number> {
  const maps = await readPagemaps(images);
  const chosen = chooseSmall(maps.map(({ entries }) => entries.filter(({ where }) => where === "left")));
  try {
    return maps.reduce((sum, map) => {
      const here = pids[map.pid];
      const own = map.entries.filter((entry) => chosen.has(entry));
      if (here === undefined || own.length === 0 || pagesBytes(images, map.pagesId) > REWRITTEN_BYTES) return sum;
      withMemory(here, (read) => putPages(images, map, new Set(own), read));
      markIn(images, map, own);
      return sum + own.reduce((bytes, { pages }) => bytes + pages * PAGE_BYTES, 0);
    }, 0);
  } catch (error) {
    throw new EvenkeelError("CHECKPOINT_FAILED", `memory to be taken along: ${(error as Error).message}`, { cause: error });
  }
}

/** Writes the small pieces of frozen processes into a folder of their own, a file for each process: a line that names them, and their pages. Returns the bytes of these. */
export async function copySmall(folder: string, processes: readonly FrozenProcess[]): Promise<number> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const rangesOf = async ({ pid, here, areas }: FrozenProcess): Promise<PageRange[]> =>
    (await readPresent(here, areas)).map(({ start, end }) => ({ pid, start, pages: (end - start) / PAGE_BYTES }));
  const ranges = await Promise.all(processes.map(rangesOf));
  const chosen = chooseSmall(ranges);
  let bytes = 0;
  for (const [index, { pid, here }] of processes.entries()) {
    const own = ranges[index]!.filter((range) => chosen.has(range));
    if (own.length === 0) continue;
    const pages = withMemory(here, (read) => own.map((range) => read(range.start, range.pages * PAGE_BYTES)));
    writeFileSync(`${folder}/small-${pid}.img`, Buffer.concat([Buffer.from(`${JSON.stringify(own)}\n`), ...pages]));
    bytes += pages.reduce((sum, { length }) => sum + length, 0);
  }
  return bytes;
}

/**
 * Marks in a lazy dump's pagemaps what `copySmall` has copied: what of it CRIU has found too, piece by piece. Returns what puts these pages among those of the images, once
 * they are here. The folder may be missing. @throws when it is not as `copySmall` has made it
 */
export async function markSmall(images: string, folder: string): Promise<() => void> {
  if (!existsSync(folder)) return () => {};
  const copies = new Map(readdirSync(folder).map((name) => [Number(/^small-(\d+)\.img$/.exec(name)?.[1]), `${folder}/${name}`]));
  const puts = (await readPagemaps(images)).map((map) => {
    const copy = copies.get(map.pid);
    const read = copy === undefined ? () => null : readerOf(readFileSync(copy));
    const own = map.entries.filter(({ where, start, pages }) => where === "left" && read(start, pages * PAGE_BYTES) !== null);
    // The pages themselves are not here yet.
    const bytes = map.entries.reduce((sum, { where, pages }) => sum + (where === "present" ? pages * PAGE_BYTES : 0), 0);
    if (own.length === 0 || bytes > REWRITTEN_BYTES) return () => {};
    markIn(images, map, own);
    return () => putPages(images, map, new Set(own), (start, bytes) => read(start, bytes)!);
  });
  return () => {
    for (const put of puts) put();
  };
}

/** Null: the copy has not all of that. */
function readerOf(copy: Buffer): (start: number, bytes: number) => Buffer | null {
  const begin = copy.indexOf(NEWLINE) + 1;
  let at = begin;
  const pieces = (JSON.parse(copy.subarray(0, begin).toString()) as PageRange[]).map(({ start, pages }) => {
    const piece = { start, end: start + pages * PAGE_BYTES, at };
    at += pages * PAGE_BYTES;
    return piece;
  });
  if (at !== copy.length) throw new Error(`a copy of small memory has ${copy.length} bytes instead of ${at}`);
  return (start, bytes) => {
    const piece = pieces.find((each) => each.start <= start && start + bytes <= each.end);
    return piece === undefined ? null : copy.subarray(piece.at + start - piece.start, piece.at + start - piece.start + bytes);
  };
}

function markIn(images: string, { pid, image }: Pagemap, chosen: readonly PagemapEntry[]): void {
  writeFileSync(`${images}/pagemap-${pid}.img`, markPresent(image, chosen));
}

/** Without giving way: some hundred pieces, all of a few megabytes, and each turn through Node's threads would take longer than its copy, in the freeze. */
function putPages(
  images: string,
  { pagesId, entries }: Pagemap,
  chosen: ReadonlySet<PagemapEntry>,
  read: (start: number, bytes: number) => Buffer,
): void {
  const file = pagesFile(images, pagesId);
  const before = pagesBytes(images, pagesId) === 0 ? Buffer.alloc(0) : readFileSync(file);
  // The file holds the pages of all present entries, in their order.
  const pieces: Buffer[] = [];
  let total = 0;
  let at = 0;
  for (const entry of entries) {
    const bytes = entry.pages * PAGE_BYTES;
    if (entry.where === "present") {
      pieces.push(before.subarray(at, at + bytes));
      at += bytes;
    } else if (chosen.has(entry)) pieces.push(read(entry.start, bytes));
    else continue;
    total += bytes;
  }
  if (at !== before.length) throw new Error(`${file} has ${before.length} bytes, its pagemap says ${at}`);
  const made = openSync(`${file}.new`, "w", 0o644);
  try {
    for (let first = 0, written = 0; first < pieces.length; first += MOST_VECTORS) {
      const some = pieces.slice(first, first + MOST_VECTORS);
      written += writevSync(made, some, written);
      if (first + MOST_VECTORS >= pieces.length && written !== total) throw new Error(`no room for ${file}`);
    }
  } finally {
    closeSync(made);
  }
  renameSync(`${file}.new`, file);
}

const pagesFile = (images: string, id: number) => `${images}/pages-${id}.img`;

/** A process may have no page that is not left. */
const pagesBytes = (images: string, id: number) => statSync(pagesFile(images, id), { throwIfNoEntry: false })?.size ?? 0;

function withMemory<T>(here: number, work: (read: (start: number, bytes: number) => Buffer) => T): T {
  const memory = openSync(`/proc/${here}/mem`, "r");
  try {
    return work((start, bytes) => readMemory(memory, start, bytes));
  } finally {
    closeSync(memory);
  }
}

function readMemory(memory: number, address: number, bytes: number): Buffer {
  const pages = Buffer.allocUnsafeSlow(bytes);
  for (let done = 0; done < bytes; ) {
    const bytesRead = readSync(memory, pages, done, bytes - done, address + done);
    if (bytesRead === 0) throw new Error(`no memory at 0x${(address + done).toString(16)}`);
    done += bytesRead;
  }
  return pages;
}
