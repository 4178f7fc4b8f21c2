import { lastNotAbove } from "./last-not-above.js";
import { PAGE_BYTES, type PageRange } from "./pagemap-image.js";

/** Pages that a process has not got yet, side by side. */
export interface MissingPiece {
  /** The daemon's descriptor by which it fills them in. */
  readonly uffd: number;
  /** Under which the images have the process, or the one that it was forked from. */
  readonly pid: number;
  /** Where the process has them now, and where the images have them. */
  readonly start: number;
  readonly image: number;
  readonly pages: number;
}

export interface DaemonMemory {
  /** More of what the daemon has written down. */
  hear(text: string): void;
  /** The first piece of that process, or of one that was forked from it, from that place in the images on; else the first of all. Null: it lacks nothing. */
  first(pid: number, image: number): MissingPiece | null;
  /** What is missing of that part of the images, in each process. */
  within(part: PageRange): MissingPiece[];
  /** Somebody else has filled that in. */
  filled(piece: MissingPiece): void;
  /** Its process has ended. */
  gone(uffd: number): void;
  /** Nothing is missing anywhere. */
  isWhole(): boolean;
}

/** A part of the images and where a process has it now. */
interface Area {
  readonly start: number;
  readonly image: number;
  readonly pages: number;
  /** Of its first page among those of the process. */
  readonly index: number;
}

interface Mapped {
  readonly pid: number;
  /** In ascending order; no two have the same page. */
  readonly areas: Area[];
  /** By page: 1 = missing. */
  readonly missing: Uint8Array;
  left: number;
}

const partOf = ({ start, image, index }: Area, first: number, behind: number): Area => ({
  start: start + first * PAGE_BYTES,
  image: image + first * PAGE_BYTES,
  pages: behind - first,
  index: index + first,
});

/** criu/uffd.c, what it says at its most talkative: of each process and each change, before it acts. */
const SAID = new RegExp(
  [
    "uffd: (?:(\\d+)-(\\d+): )?(?:",
    "uffd_copy: 0x([0-9a-f]+)/(\\d+)",
    "|copy: mcopy_rc:(-?\\d+)",
    "|(?:REMOVE|UNMAP): ([0-9a-f]+)\\(([0-9a-f]+)\\)",
    "|REMAP: ([0-9a-f]+) -> ([0-9a-f]+) \\((\\d+)\\)",
    "|FORK: child with ufd=(\\d+)",
    "|(EXIT|UFFD transferred pages)",
    "|Received PID: (\\d+), uffd: (\\d+)",
    ")",
  ].join(""),
  "g",
);

/**
 * Follows CRIU's lazy-pages daemon by its own words, and knows at any time which pages it has not filled in.
 * @param ranges what the images leave to it: by process, then by address
 */
export function makeDaemonMemory(ranges: readonly PageRange[]): DaemonMemory {
  const processes = new Map<number, Mapped>();
  /** What it was about to fill in when last heard: only its next words say whether it did. */
  let pending: { readonly uffd: number; readonly start: number; readonly bytes: number } | null = null;
  let rest = "";

  function received(pid: number): Mapped {
    let index = 0;
    const areas = ranges
      .filter((range) => range.pid === pid)
      .map(({ start, pages }) => {
        index += pages;
        return { start, image: start, pages, index: index - pages };
      });
    return { pid, areas, missing: new Uint8Array(index).fill(1), left: index };
  }

  /** From which of its areas on, and up to which, they have something of that range. */
  function overlapping({ areas }: Mapped, start: number, end: number): [from: number, to: number] {
    const begin = (at: number) => areas[at]!.start;
    const before = lastNotAbove(areas.length, begin, start);
    const isIn = before >= 0 && start < begin(before) + areas[before]!.pages * PAGE_BYTES;
    return [isIn ? before : before + 1, lastNotAbove(areas.length, begin, end - 1) + 1];
  }

  function clear(mapped: Mapped, start: number, end: number): void {
    const { areas, missing } = mapped;
    const [from, to] = overlapping(mapped, start, end);
    for (let at = from; at < to; at++) {
      const area = areas[at]!;
      const last = Math.min(area.pages, Math.ceil((end - area.start) / PAGE_BYTES));
      for (let page = Math.max(0, Math.floor((start - area.start) / PAGE_BYTES)); page < last; page++) {
        mapped.left -= missing[area.index + page]!;
        missing[area.index + page] = 0;
      }
    }
  }

  /** Takes a range out of its areas. Returns what was in it. */
  function cut(mapped: Mapped, start: number, end: number): Area[] {
    const [from, to] = overlapping(mapped, start, end);
    const taken: Area[] = [];
    const kept: Area[] = [];
    for (const area of mapped.areas.slice(from, to)) {
      const first = Math.max(0, (start - area.start) / PAGE_BYTES);
      const behind = Math.min(area.pages, (end - area.start) / PAGE_BYTES);
      if (first > 0) kept.push(partOf(area, 0, first));
      taken.push(partOf(area, first, behind));
      if (behind < area.pages) kept.push(partOf(area, behind, area.pages));
    }
    mapped.areas.splice(from, to - from, ...kept);
    return taken;
  }

  /** What the process has given back, or unmapped, will never be filled in. */
  function drop(mapped: Mapped, start: number, end: number): void {
    clear(mapped, start, end);
    cut(mapped, start, end);
  }

  function remap(mapped: Mapped, from: number, to: number, bytes: number): void {
    const moved = cut(mapped, from, from + bytes).map((area) => ({ ...area, start: area.start + to - from }));
    drop(mapped, to, to + bytes);
    const [at] = overlapping(mapped, to, to + bytes);
    mapped.areas.splice(at, 0, ...moved);
  }

  function understand(said: RegExpExecArray): void {
    const uffd = Number(said[2]);
    const failed = said[5] === undefined ? null : Number(said[5]);
    if (pending !== null) {
      const bytes = failed !== null && pending.uffd === uffd ? Math.max(0, failed) : pending.bytes;
      const mapped = processes.get(pending.uffd);
      if (mapped !== undefined) clear(mapped, pending.start, pending.start + bytes);
      pending = null;
    }
    const hex = (at: number) => Number.parseInt(said[at]!, 16);
    if (said[3] !== undefined) pending = { uffd, start: hex(3), bytes: Number(said[4]) };
    else if (said[12] !== undefined) processes.delete(uffd);
    else if (said[13] !== undefined) processes.set(Number(said[14]), received(Number(said[13])));
    const mapped = processes.get(uffd);
    if (mapped === undefined) return;
    if (said[6] !== undefined) drop(mapped, hex(6), hex(6) + hex(7));
    else if (said[8] !== undefined) remap(mapped, hex(8), hex(9), Number(said[10]));
    else if (said[11] !== undefined)
      processes.set(Number(said[11]), { ...mapped, areas: [...mapped.areas], missing: mapped.missing.slice() });
  }

  function* piecesOf(uffd: number, { pid, areas, missing, left }: Mapped, from: number, until: number): Generator<MissingPiece> {
    if (left === 0) return;
    for (const area of areas) {
      const last = Math.min(area.pages, (until - area.image) / PAGE_BYTES);
      for (let page = Math.max(0, (from - area.image) / PAGE_BYTES); page < last; page++) {
        if (missing[area.index + page] === 0) continue;
        const first = page;
        while (page < last && missing[area.index + page] === 1) page++;
        const [start, image] = [area.start + first * PAGE_BYTES, area.image + first * PAGE_BYTES];
        yield { uffd, pid, start, image, pages: page - first };
      }
    }
  }

  function firstFrom(pid: number, from: number): MissingPiece | null {
    for (const [uffd, mapped] of processes) {
      if (mapped.pid !== pid) continue;
      for (const piece of piecesOf(uffd, mapped, from, Number.POSITIVE_INFINITY)) return piece;
    }
    return null;
  }

  return {
    hear(text) {
      const all = rest + text;
      const end = all.lastIndexOf("\n") + 1;
      rest = all.slice(end);
      for (const said of all.slice(0, end).matchAll(SAID)) understand(said);
    },
    first: (pid, image) => firstFrom(pid, image) ?? firstFrom(pid, 0),
    within: ({ pid, start, pages }) =>
      [...processes].flatMap(([uffd, mapped]) =>
        mapped.pid === pid ? [...piecesOf(uffd, mapped, start, start + pages * PAGE_BYTES)] : [],
      ),
    filled({ uffd, start, pages }) {
      const mapped = processes.get(uffd);
      if (mapped !== undefined) clear(mapped, start, start + pages * PAGE_BYTES);
    },
    gone: (uffd) => void processes.delete(uffd),
    isWhole: () => [...processes.values()].every(({ left }) => left === 0),
  };
}
