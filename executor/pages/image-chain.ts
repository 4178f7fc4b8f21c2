import { existsSync } from "node:fs";
import { realpath, stat, writeFile } from "node:fs/promises";
import { mayFillBeside } from "../engine/docker/huge-pages.js";
import { findForked } from "./forked-ranges.js";
import { lastNotAbove } from "./last-not-above.js";
import { type Area, readLazyAreas } from "./lazy-areas.js";
import {
  MOST_ENTRY_PAGES,
  PAGE_BYTES,
  type Pagemap,
  type PagemapEntry,
  type PageRange,
  readPagemaps,
  withEntries,
} from "./pagemap-image.js";
import { chooseSmall } from "./small-pieces.js";

/** The images of one dump: what each process had that was new then, and which pages are in an earlier dump. */
export interface ImageLayer {
  readonly folder: string;
  readonly ofProcess: ReadonlyMap<number, LayerMap>;
}

interface LayerMap extends Pagemap {
  /** By entry: where its pages begin in the file of pages, if they are there. */
  readonly offsets: readonly number[];
  /** How long that file has to be. */
  readonly bytes: number;
}

/** Where a page lies, with those behind it that lie in one piece with it. */
export interface Place {
  readonly file: string;
  readonly offset: number;
  readonly pages: number;
  readonly isLazy: boolean;
}

export async function readLayer(path: string): Promise<ImageLayer> {
  const folder = await realpath(path);
  const maps = await readPagemaps(folder);
  return { folder, ofProcess: new Map(maps.map((map) => [map.pid, { ...map, ...lieIn(map.entries) }])) };
}

const pagesFile = (folder: string, { pagesId }: LayerMap) => `${folder}/pages-${pagesId}.img`;

/** That every page is there can still be told before a copy runs that would need it. @throws when a file is short of some. */
export async function assertWhole(layers: readonly ImageLayer[]): Promise<void> {
  const maps = layers.flatMap(({ folder, ofProcess }) =>
    [...ofProcess.values()].map((map) => ({ file: pagesFile(folder, map), bytes: map.bytes })),
  );
  await Promise.all(
    maps.map(async ({ file, bytes }) => {
      const { size } = bytes === 0 ? { size: 0 } : await stat(file);
      if (size < bytes) throw new Error(`${file} has ${size} bytes instead of ${bytes}`);
    }),
  );
}

/** The file holds the pages of all present entries, in their order. */
function lieIn(entries: readonly PagemapEntry[]): Pick<LayerMap, "offsets" | "bytes"> {
  let at = 0;
  const offsets = entries.map(({ where, pages }) => {
    const offset = at;
    if (where === "present") at += pages * PAGE_BYTES;
    return offset;
  });
  return { offsets, bytes: at };
}

/** The final images first, then each dump that the one before names as its parent. `first`: the first round, if it has been read already. */
export async function readChain(images: string, first: ImageLayer | null = null): Promise<ImageLayer[]> {
  const layers: ImageLayer[] = [];
  for (let folder: string | null = await realpath(images); folder !== null; ) {
    layers.push(folder === first?.folder ? first : await readLayer(folder));
    const parent: string = `${folder}/parent`;
    folder = existsSync(parent) ? await realpath(parent) : null;
  }
  return layers;
}

/** Null: no image of the chain has that page. */
export function locate(layers: readonly ImageLayer[], pid: number, address: number): Place | null {
  let pages = Number.POSITIVE_INFINITY;
  for (const { folder, ofProcess } of layers) {
    const map = ofProcess.get(pid);
    const index = map === undefined ? -1 : entryAt(map.entries, address);
    if (map === undefined || index < 0) return null;
    const entry = map.entries[index]!;
    const before = (address - entry.start) / PAGE_BYTES;
    pages = Math.min(pages, entry.pages - before);
    if (entry.where === "present") {
      const offset = map.offsets[index]! + before * PAGE_BYTES;
      return { file: pagesFile(folder, map), offset, pages, isLazy: entry.isLazy };
    }
  }
  return null;
}

/** Its place among the entries, which are in order of address; below 0 = none of them has it. */
function entryAt(entries: readonly PagemapEntry[], address: number): number {
  const index = lastNotAbove(entries.length, (at) => entries[at]!.start, address);
  const entry = entries[index];
  return entry !== undefined && address < entry.start + entry.pages * PAGE_BYTES ? index : -1;
}

/** A piece of a process's memory that is either restored before the resume or follows it. */
interface Run extends PageRange {
  readonly where: "present" | "elsewhere";
  readonly isLazy: boolean;
}

/**
 * Has the memory follow the resume: changes the final images so that CRIU restores only small pieces, what processes share since they were forked, so that they share it again, and
 * what began after the last round; and its daemon asks for the rest. By itself CRIU reads every page of an earlier round before the resume, for of these its final images do not say that
 * they may come later (criu/pagemap.c). Returns what follows: by process, then by address.
 */
export async function letMemoryFollow(layers: readonly ImageLayer[], mayFill = mayFillBeside): Promise<PageRange[]> {
  const [final, before] = layers as [ImageLayer, ImageLayer?];
  const maps = [...final.ofProcess.values()];
  const runs = await Promise.all(maps.map(async (map) => cutIntoRuns(layers, map, await readLazyAreas(final.folder, map.pid))));
  const forked: ReadonlySet<Run> = findForked(runs);
  const atOnce = new Set([...forked, ...chooseSmall(runs.map((own) => own.filter(({ isLazy }) => isLazy)))]);
  // CRIU keeps huge pages off only where the images of the round right before fill a mapping: see huge-pages.ts. Else it is all that may follow, or nothing.
  const allOrNothing = before === undefined && !(await mayFill());
  const hasForked = runs.flat().some((run) => run.isLazy && forked.has(run));
  const following: PageRange[] = [];
  for (const [index, map] of maps.entries()) {
    const isNew = before !== undefined && !before.ofProcess.has(map.pid);
    const entries = runs[index]!.map((run) => {
      if (!run.isLazy || isNew || (allOrNothing ? hasForked : atOnce.has(run))) return { ...run, isLazy: false };
      following.push(run);
      return run.where === "present" ? run : { ...run, where: "left" as const };
    });
    await writeFile(`${final.folder}/pagemap-${map.pid}.img`, withEntries(map, entries));
  }
  return following;
}

/** What is in an earlier round goes as far as nothing was written, over any number of mappings, and CRIU does not say which of it may come later: its rounds and the mappings do. */
function cutIntoRuns(layers: readonly ImageLayer[], { pid, entries }: LayerMap, areas: readonly Area[]): Run[] {
  const runs: Run[] = [];
  for (const { start, pages, where, isLazy } of entries) {
    if (where !== "elsewhere") {
      runs.push({ pid, start, pages, where: "present", isLazy });
      continue;
    }
    const end = start + pages * PAGE_BYTES;
    for (let at = start; at < end; ) {
      const place = locate(layers, pid, at);
      if (place === null) throw new Error(`no image of process ${pid} has its page at 0x${at.toString(16)}`);
      const area = areaAt(areas, at);
      const until = Math.min(end, at + place.pages * PAGE_BYTES, area.end);
      addTo(runs, { pid, start: at, pages: (until - at) / PAGE_BYTES, where, isLazy: area.isLazy && place.isLazy }, at === start);
      at = until;
    }
  }
  return runs;
}

/** Whether that address lies in one of the areas, and how far that holds. */
function areaAt(areas: readonly Area[], address: number): { readonly isLazy: boolean; readonly end: number } {
  const index = lastNotAbove(areas.length, (at) => areas[at]!.start, address);
  const area = areas[index];
  if (area !== undefined && address < area.end) return { isLazy: true, end: area.end };
  return { isLazy: false, end: areas[index + 1]?.start ?? Number.POSITIVE_INFINITY };
}

function addTo(runs: Run[], run: Run, isFirst: boolean): void {
  let { start, pages } = run;
  const last = runs.at(-1);
  if (!isFirst && last !== undefined && last.isLazy === run.isLazy) {
    const more = Math.min(pages, MOST_ENTRY_PAGES - last.pages);
    runs[runs.length - 1] = { ...last, pages: last.pages + more };
    start += more * PAGE_BYTES;
    pages -= more;
  }
  for (; pages > 0; start += MOST_ENTRY_PAGES * PAGE_BYTES, pages -= MOST_ENTRY_PAGES) {
    runs.push({ ...run, start, pages: Math.min(pages, MOST_ENTRY_PAGES) });
  }
}
