import { readdir, readFile } from "node:fs/promises";
import { encodeMessage, fieldsOf, messagesOf } from "./image-fields.js";

export const PAGE_BYTES = 4096;

/**
 * CRIU cuts what it writes itself into 4 MiB; the fewer there are, the sooner all who read them are done, its daemon at each fault among them. But that asks the kernel for room for the
 * longest, of which it uses 4 MiB, for each process and each fork of one: of a kernel that never promises more than it has (vm.overcommit_memory=2) too.
 */
export const MOST_ENTRY_PAGES = 4096;

/** Pages that a process (by its pid in the container) has in one piece. */
export interface PageRange {
  readonly pid: number;
  readonly start: number;
  readonly pages: number;
}

/** One entry of a pagemap. Its pages are in the images (`present`), are left with the frozen process (`left`), or are elsewhere: in a parent's images. */
export interface PagemapEntry extends PageRange {
  readonly where: "present" | "left" | "elsewhere";
  /** CRIU's daemon may bring them after the resume. */
  readonly isLazy: boolean;
  /** Where in the image its flags are. */
  readonly flagsAt: number;
}

export interface Pagemap {
  readonly pid: number;
  readonly image: Buffer;
  /** Of what stands before its entries. */
  readonly headBytes: number;
  /** Which file has the pages, `pages-<id>.img`: those of all present entries, in their order. */
  readonly pagesId: number;
  readonly entries: readonly PagemapEntry[];
}

const FLAG_PARENT = 1;
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
  const [head, ...rest] = messagesOf(image, `pagemap-${pid}.img`);
  const pagesId = head === undefined ? 0 : (fieldsOf(image, head.begin, head.end).find(({ field }) => field === FIELD.pagesId)?.value ?? 0);
  const entries = rest.map(({ begin, end }): PagemapEntry => {
    const fields = fieldsOf(image, begin, end);
    const read = (wanted: number) => fields.find(({ field }) => field === wanted);
    const flags = read(FIELD.flags)?.value ?? 0;
    return {
      pid,
      start: read(FIELD.start)?.value ?? 0,
      pages: (read(FIELD.pages) ?? read(FIELD.compatPages))?.value ?? 0,
      isLazy: (flags & FLAG_LAZY) !== 0,
      where: flags & FLAG_PRESENT ? "present" : flags & FLAG_LAZY ? "left" : "elsewhere",
      flagsAt: read(FIELD.flags)?.at ?? -1,
    };
  });
  return { pid, image, pagesId, headBytes: head?.end ?? image.length, entries };
}

/** The image with these entries as present and nothing else: they are read before the workload runs again. */
export function markPresent(image: Buffer, entries: readonly PagemapEntry[]): Buffer {
  const marked = Buffer.from(image);
  for (const { flagsAt } of entries) marked[flagsAt] = FLAG_PRESENT;
  return marked;
}

/** The image with other entries in place of its own. */
export function withEntries(
  { image, headBytes }: Pagemap,
  entries: readonly Pick<PagemapEntry, "start" | "pages" | "where" | "isLazy">[],
): Buffer {
  const messages = entries.map(({ start, pages, where, isLazy }) => {
    const flags = where === "present" ? FLAG_PRESENT + (isLazy ? FLAG_LAZY : 0) : where === "left" ? FLAG_LAZY : FLAG_PARENT;
    return encodeMessage([
      [FIELD.start, start],
      [FIELD.compatPages, pages],
      [FIELD.flags, flags],
      [FIELD.pages, pages],
    ]);
  });
  return Buffer.concat([image.subarray(0, headBytes), ...messages]);
}
