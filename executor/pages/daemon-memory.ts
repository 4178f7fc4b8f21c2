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
  /** The kernel refuses the same pages of that process, or of one forked from it, again and again. */
  isRefused(pid: number): boolean;
  /** Where threads wait that nobody will wake: told once. */
  takeSleepers(): Sleeper[];
  /** Where the daemon gave a page of zeros in place of one that the images have; null = nowhere. */
  spoilt(): string | null;
}

export interface Sleeper {
  readonly uffd: number;
  readonly start: number;
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
  areas: Area[];
  /** By page: 1 = missing. */
  readonly missing: Uint8Array;
  left: number;
  /** From where it has moved something: the kernel tells that it is unmapped there a moment later, when others may have moved there. */
  readonly movedFrom: Range[];
  /** What the kernel refused, and how much more often than the rest. */
  refused: number;
  refusals: number;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

const partOf = ({ start, image, index }: Area, first: number, behind: number): Area => ({
  start: start + first * PAGE_BYTES,
  image: image + first * PAGE_BYTES,
  pages: behind - first,
  index: index + first,
});

const EAGAIN = 11;
/** Some come of a process that changes its mappings at that moment. */
const MOST_REFUSALS = 100;

/** criu/uffd.c, what it says at its most talkative: of each process and each change, before it acts. */
const SAID = new RegExp(
  [
    "uffd: (?:\\d+-(?<uffd>\\d+): )?(?:",
    "uffd_copy: 0x(?<copied>[0-9a-f]+)/(?<bytes>\\d+)",
    "|(?<what>copy|zero): mcopy_rc:(?<code>-?\\d+), errno:(?<errno>\\d+)",
    "|zero page at 0x(?<zeroed>[0-9a-f]+)",
    "|(?<event>REMOVE|UNMAP): (?<start>[0-9a-f]+)\\((?<length>[0-9a-f]+)\\)",
    "|REMAP: (?<from>[0-9a-f]+) -> (?<to>[0-9a-f]+) \\((?<moved>\\d+)\\)",
    "|FORK: child with ufd=(?<child>\\d+)",
    "|(?<end>EXIT|UFFD transferred pages)",
    "|Received PID: (?<pid>\\d+), uffd: (?<received>\\d+)",
    ")",
  ].join(""),
  "g",
);
type Said = Readonly<Record<string, string | undefined>>;

/**
 * Follows CRIU's lazy-pages daemon by its own words, and knows at any time which pages it has not filled in.
 * @param ranges what the images leave to it: by process, then by address
 */
export function makeDaemonMemory(ranges: readonly PageRange[]): DaemonMemory {
  const processes = new Map<number, Mapped>();
  /** What it was about to fill in when last heard: only its next words say whether it did. */
  let pending: { readonly kind: "copy" | "zero"; readonly uffd: number; readonly start: number; readonly bytes: number } | null = null;
  let sleepers: Sleeper[] = [];
  let spoilt: string | null = null;
  let rest = "";

  function received(pid: number): Mapped {
    let index = 0;
    const areas = ranges
      .filter((range) => range.pid === pid)
      .map(({ start, pages }) => {
        index += pages;
        return { start, image: start, pages, index: index - pages };
      });
    return { pid, areas, missing: new Uint8Array(index).fill(1), left: index, movedFrom: [], refused: 0, refusals: 0 };
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
    mapped.areas = [...mapped.areas.slice(0, at), ...moved, ...mapped.areas.slice(at)];
    mapped.movedFrom.push({ start: from, end: from + bytes });
  }

  function unmap(mapped: Mapped, start: number, end: number): void {
    const moved = mapped.movedFrom.findIndex((range) => range.start === start && range.end === end);
    if (moved < 0) drop(mapped, start, end);
    else mapped.movedFrom.splice(moved, 1);
  }

  function isMissing(mapped: Mapped, start: number): boolean {
    const [from, to] = overlapping(mapped, start, start + 1);
    return mapped.areas.slice(from, to).some((area) => mapped.missing[area.index + (start - area.start) / PAGE_BYTES] === 1);
  }

  /** Its next words say what became of that. */
  function settle(uffd: number, { what, code, errno }: Said): void {
    if (pending === null) return;
    const { kind, start, bytes } = pending;
    const mapped = processes.get(pending.uffd);
    const isFailure = what === kind && uffd === pending.uffd;
    pending = null;
    if (mapped === undefined) return;
    if (kind === "zero") {
      // It is woken by whatever fills in a page, and so never by that.
      if (isFailure && Number(errno) === EAGAIN) sleepers.push({ uffd, start });
      else if (!isFailure && isMissing(mapped, start)) spoilt ??= `process ${mapped.pid} has zeros at 0x${start.toString(16)}`;
      return;
    }
    const copied = isFailure ? Math.max(0, Number(code)) : bytes;
    clear(mapped, start, start + copied);
    if (copied > 0) {
      if (start === mapped.refused) mapped.refusals = 0;
      return;
    }
    if (mapped.refusals === 0) mapped.refused = start;
    mapped.refusals += start === mapped.refused ? 1 : -1;
  }

  function understand(said: Said): void {
    const uffd = Number(said["uffd"]);
    const [hex, decimal] = [(name: string) => Number.parseInt(said[name]!, 16), (name: string) => Number(said[name])];
    settle(uffd, said);
    if (said["copied"] !== undefined) pending = { kind: "copy", uffd, start: hex("copied"), bytes: decimal("bytes") };
    else if (said["zeroed"] !== undefined) pending = { kind: "zero", uffd, start: hex("zeroed"), bytes: PAGE_BYTES };
    else if (said["end"] !== undefined) processes.delete(uffd);
    else if (said["pid"] !== undefined) processes.set(decimal("received"), received(decimal("pid")));
    const mapped = processes.get(uffd);
    if (mapped === undefined) return;
    if (said["event"] === "REMOVE") drop(mapped, hex("start"), hex("start") + hex("length"));
    else if (said["event"] === "UNMAP") unmap(mapped, hex("start"), hex("start") + hex("length"));
    else if (said["from"] !== undefined) remap(mapped, hex("from"), hex("to"), decimal("moved"));
    else if (said["child"] !== undefined) processes.set(decimal("child"), childOf(mapped));
  }

  const childOf = (parent: Mapped): Mapped => ({
    ...parent,
    areas: [...parent.areas],
    missing: parent.missing.slice(),
    movedFrom: [],
    refusals: 0,
  });

  function* piecesOf(uffd: number, { pid, areas, missing, left }: Mapped, from: number, until: number): Generator<MissingPiece> {
    if (left === 0) return;
    for (const area of areas) {
      const last = Math.min(area.pages, (until - area.image) / PAGE_BYTES);
      const own = missing.subarray(area.index, area.index + Math.max(0, last));
      for (let page = Math.max(0, (from - area.image) / PAGE_BYTES); page < last; ) {
        const first = own.indexOf(1, page);
        if (first < 0) break;
        const behind = own.indexOf(0, first);
        page = behind < 0 ? last : behind;
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
      for (const { groups } of all.slice(0, end).matchAll(SAID)) understand(groups!);
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
    isRefused: (pid) => [...processes.values()].some((mapped) => mapped.pid === pid && mapped.refusals >= MOST_REFUSALS),
    takeSleepers() {
      const all = sleepers;
      sleepers = [];
      return all;
    },
    spoilt: () => spoilt,
  };
}
