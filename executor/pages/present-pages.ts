import { closeSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Area } from "./lazy-areas.js";
import { PAGE_BYTES } from "./pagemap-image.js";

/** Upper halves of a pagemap's entry (Documentation/admin-guide/mm/pagemap.rst): what is in memory or in swap, and what is in memory. */
const HELD = 0xc0000000;
const IN_MEMORY = 0x80000000;
/** A touch of it is answered with a fault, by its owner's wish: the kernel keeps that where it would keep a place in swap. */
const GUARDED = 1 << 26;
/** Those bits of it that belong to a page frame's number. */
const FRAME = 0x007fffff;
const ENTRY_BYTES = 8;
const CHUNK_PAGES = 1 << 17;
/** A flag of /proc/kpageflags. */
const ZERO_PAGE = 1n << 24n;

interface Frame {
  readonly high: number;
  readonly low: number;
}

/** The kernel's page of zeros, to which reading untouched memory leads. The same until the next boot; null as long as none has been met. */
let zeros: Frame | null = null;
/** The last that was met twice and is not that page: equal ones that the kernel has merged come in rows. */
let merged: Frame | null = null;

/**
 * The pieces of a process's memory that it holds, in ascending order: pages in memory or in swap, less the kernel's page of zeros where two of them lie side by side
 * or have done before. As its page tables say, 8 bytes a page. @throws when the process is gone
 */
export async function readPresent(pid: number, areas: readonly Area[]): Promise<Area[]> {
  const pagemap = await open(`/proc/${pid}/pagemap`, "r");
  try {
    const pieces: Area[] = [];
    for (const { start, end } of areas)
      for (let from = start; from < end; from += CHUNK_PAGES * PAGE_BYTES)
        for (const piece of piecesIn(await readEntries(pagemap, from, Math.min(CHUNK_PAGES, (end - from) / PAGE_BYTES)), from)) {
          const last = pieces.at(-1);
          if (last?.end === piece.start) pieces[pieces.length - 1] = { start: last.start, end: piece.end };
          else pieces.push(piece);
        }
    return pieces;
  } finally {
    await pagemap.close();
  }
}

/** Gaps that are closer than this are read in one go. */
const NEAR_BYTES = 256 << 10;

/**
 * The same, of a process that has been looked at before: what it held then is taken for held still, and only the rest is asked for. The kernel looks at each page that is
 * there, which takes some 200 ns, and hardly at one that is not. A page given back since counts as held: it reads as zeros.
 */
export async function readPresentAgain(pid: number, areas: readonly Area[], before: readonly Area[]): Promise<Area[]> {
  const { held, gaps } = divide(areas, before);
  return joined([...held, ...(await readPresent(pid, joined(gaps, NEAR_BYTES)))], 0);
}

/** What of the areas lies in the pieces, and what between them. Both in ascending order. */
export function divide(areas: readonly Area[], pieces: readonly Area[]): { held: Area[]; gaps: Area[] } {
  const [held, gaps]: [Area[], Area[]] = [[], []];
  let next = 0;
  for (const area of areas) {
    let from = area.start;
    while (next < pieces.length && pieces[next]!.end <= area.start) next++;
    for (let at = next; at < pieces.length && pieces[at]!.start < area.end; at++) {
      const [start, end] = [Math.max(from, pieces[at]!.start), Math.min(area.end, pieces[at]!.end)];
      if (start > from) gaps.push({ start: from, end: start });
      held.push({ start, end });
      from = end;
    }
    if (from < area.end) gaps.push({ start: from, end: area.end });
  }
  return { held, gaps };
}

/** Those that overlap or are no further apart as one. */
function joined(pieces: readonly Area[], apartBytes: number): Area[] {
  const whole: Area[] = [];
  for (const { start, end } of [...pieces].sort((one, other) => one.start - other.start)) {
    const last = whole.at(-1);
    if (last !== undefined && start <= last.end + apartBytes) whole[whole.length - 1] = { start: last.start, end: Math.max(last.end, end) };
    else whole.push({ start, end });
  }
  return whole;
}

async function readEntries(pagemap: FileHandle, from: number, pages: number): Promise<Uint32Array> {
  const bytes = Buffer.from(new ArrayBuffer(pages * ENTRY_BYTES));
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await pagemap.read(bytes, done, bytes.length - done, (from / PAGE_BYTES) * ENTRY_BYTES + done);
    if (bytesRead === 0) throw new Error(`no page table at 0x${from.toString(16)}`);
    done += bytesRead;
  }
  return new Uint32Array(bytes.buffer);
}

/** @param entries of a pagemap, each in two halves, the lower first; the first is that of the page at `from`. */
export function piecesIn(entries: Uint32Array, from: number, isZeros: (frame: Frame) => boolean = isPageOfZeros): Area[] {
  const isSame = (one: Frame | null, low: number, high: number) => one !== null && low === one.low && (high & FRAME) === one.high;
  const pieces: Area[] = [];
  let start = -1;
  let [lastLow, lastHigh] = [0, 0];
  for (let at = 0; at < entries.length; at += 2) {
    const [low, high] = [entries[at]!, entries[at + 1]!];
    let isHeld = (high & HELD) !== 0 && (high & GUARDED) === 0;
    if (isHeld && (high & IN_MEMORY) !== 0) {
      // One page in two places is this one, or two that the kernel has merged.
      const isPair = low === lastLow && high === lastHigh && (low | (high & FRAME)) !== 0;
      if (zeros === null && isPair && !isSame(merged, low, high)) {
        const frame = { high: high & FRAME, low };
        if (isZeros(frame)) {
          zeros = frame;
          return piecesIn(entries, from, isZeros);
        }
        merged = frame;
      }
      if (isSame(zeros, low, high)) isHeld = false;
    }
    [lastLow, lastHigh] = [low, high];
    const address = from + (at / 2) * PAGE_BYTES;
    if (isHeld && start < 0) start = address;
    else if (!isHeld && start >= 0) {
      pieces.push({ start, end: address });
      start = -1;
    }
  }
  if (start >= 0) pieces.push({ start, end: from + (entries.length / 2) * PAGE_BYTES });
  return pieces;
}

function isPageOfZeros({ high, low }: Frame): boolean {
  const flags = Buffer.alloc(ENTRY_BYTES);
  let file: number;
  try {
    file = openSync("/proc/kpageflags", "r");
  } catch {
    // Not in every kernel: they are taken along as pages then.
    return false;
  }
  try {
    readSync(file, flags, 0, ENTRY_BYTES, (high * 2 ** 32 + low) * ENTRY_BYTES);
    return (flags.readBigUInt64LE() & ZERO_PAGE) !== 0n;
  } finally {
    closeSync(file);
  }
}
