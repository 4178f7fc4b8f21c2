import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { completeImages } from "../../pages/complete-images.js";
import type { Area } from "../../pages/lazy-areas.js";
import { readPresent, readPresentAgain } from "../../pages/present-pages.js";
import { MAPS_ENCODING, type Mapping, parseSmaps } from "./memory-maps.js";
import { type ContainedProcess, readTree } from "./processes.js";

/** Below this a mapping is CRIU's to look at: it takes along what is small. */
const LEAST_HELD_BYTES = 4 << 20;
/** A mapping that is larger than what it holds so many times takes longer to look through. */
const MOST_TIMES_LARGER = 8;
/** Below this nothing is gained by it. */
const WORTHWHILE_BYTES = 16 << 20;
const LOOK_MILLISECONDS = 5;
/** In these a page can be guarded (MADV_GUARD_INSTALL) and nobody is told of it: CRIU fails to dump it, which is better than to find it when the copy runs. */
const HIDDEN_GUARDS = /^6\.1[34]\./;
/** Folder beside the FIFOs; dump-and-thaw lays its files over those of /proc. */
export const VIEW = "view";
/** What CRIU reads of the kernel's flags (parse_vmflags of its criu/proc_parse.c). */
const CRIU_READS = new Set(["gd", "lo", "nr", "ht", "dp", "sr", "rr", "dc", "dd", "mg", "hg", "nh", "wf", "io", "pf", "ss"]);
/** Memory with one of these is not CRIU's to bring later, or is not what it seems. */
const NOT_LAZY = new Set(["lo", "ht", "dp", "io", "pf", "ss", "um", "uw"]);
/** A stack, which may grow. */
const GROWS = "gd";
/** Page tables of so much are looked through in no time. */
const SOON_LOOKED_THROUGH_BYTES = 64 << 20;
/** The kernel may drop what is in such memory at any time, so CRIU leaves out its pages. */
const DROPPABLE = "dp";

/**
 * What CRIU is shown of a workload's memory in a lazy dump (docs/postcopy.md, "What CRIU does not look at"). Of its great private mappings CRIU would put each page into a pipe
 * that nobody reads; it is told that they are droppable, and passes them over.
 */
export interface MemoryView {
  /** The threads stand still, and CRIU has not looked yet. Returns where the rest is of the memory that it may bring later. */
  show(): readonly { readonly here: number; readonly areas: readonly Area[] }[];
  /** The dump is done: puts into its images what CRIU was not shown of these processes. @throws CHECKPOINT_FAILED */
  complete(images: string, contained: readonly ContainedProcess[]): Promise<void>;
  /**
   * Whether what CRIU was shown is what the kernel says, for which it has to be asked once more: when CRIU has dumped the processes, or the dump is over. While it puts its own code into
   * them it would have to wait for whoever reads their mappings. @throws CHECKPOINT_FAILED
   */
  confirm(images: string, isOver: () => boolean): Promise<void>;
}

interface Shown {
  readonly pid: number;
  mappings: Map<string, Mapping>;
  unseen: readonly Area[];
  /** What was held in the unseen a moment before the freeze. */
  readonly before: readonly Area[];
  present: Promise<Area[]>;
  /** The kernel was asked for the flags in the freeze. */
  isSure: boolean;
}

/** Makes ready for a dump into the folder. Null: there is too little of such memory. */
export async function openMemoryView(folder: string, initPid: number): Promise<MemoryView | null> {
  if (HIDDEN_GUARDS.test(release())) return null;
  const shown: Shown[] = [];
  for (const pid of await readTree(initPid)) {
    // One that ends meanwhile is nobody's concern.
    const mappings = parseSmaps(await readFile(`/proc/${pid}/smaps`, MAPS_ENCODING).catch(() => ""));
    const unseen = unseenAmong(mappings);
    const before = await readPresent(pid, unseen).catch(() => []);
    if (unseen.length > 0) shown.push({ pid, mappings, unseen, before, present: Promise.resolve([]), isSure: false });
  }
  const bytes = shown.flatMap(({ mappings }) => unseenAmong(mappings)).reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  if (bytes < WORTHWHILE_BYTES) return null;
  await mkdir(`${folder}/${VIEW}`, { mode: 0o700 });
  for (const { pid } of shown) await writeFile(viewOf(folder, pid), "", { mode: 0o600 });
  return {
    show() {
      for (const each of shown) show(folder, each);
      return shown.map(({ pid, mappings, unseen }) => ({
        here: pid,
        areas: [...mappings.values()].filter(
          (each) => each.heldBytes > 0 && each.end - each.start <= SOON_LOOKED_THROUGH_BYTES && mayFollow(each) && !unseen.includes(each),
        ),
      }));
    },
    async complete(images, contained) {
      await orFail("is not to be had", async () => {
        for (const { pid, unseen, present } of shown) {
          if (unseen.length === 0) continue;
          const own = contained.find(({ here }) => here === pid);
          if (own === undefined) throw new Error(`process ${pid} is not one of the workload's any more`);
          await completeImages(images, own.pid, unseen, await present);
        }
      });
    },
    async confirm(images, isOver) {
      // The file comes after the last of them.
      while (!isOver() && !readdirSync(images).some((name) => name.startsWith("mountpoints-"))) await pause(LOOK_MILLISECONDS);
      await orFail("cannot be confirmed", async () => {
        for (const { pid, mappings } of shown.filter(({ isSure }) => !isSure)) {
          const now = parseSmaps(await readFile(`/proc/${pid}/smaps`, MAPS_ENCODING));
          const other = [...mappings].find(([line, { flags }]) => !now.has(line) || readBy(now.get(line)!.flags) !== readBy(flags));
          if (other !== undefined) throw new Error(`process ${pid} changed how it behaves right before the freeze: ${other[0]}`);
        }
      });
    },
  };
}

async function orFail(what: string, work: () => Promise<void>): Promise<void> {
  await work().catch((error: Error) => {
    throw new EvenkeelError("CHECKPOINT_FAILED", `memory that CRIU was not shown ${what}: ${error.message}`, { cause: error });
  });
}

const viewOf = (folder: string, pid: number) => `${folder}/${VIEW}/${pid}`;

/**
 * Without giving way: CRIU waits. The flags of mappings are those of a moment ago, since the kernel tells them with what it counts page by page; `confirm` looks at them again. Only
 * where there is a mapping that was not there then, all are asked for.
 */
function show(folder: string, each: Shown): void {
  try {
    const lines = readFileSync(`/proc/${each.pid}/maps`, MAPS_ENCODING).split("\n").filter(Boolean);
    each.isSure = !lines.every((line) => each.mappings.has(line));
    if (each.isSure) {
      each.mappings = parseSmaps(readFileSync(`/proc/${each.pid}/smaps`, MAPS_ENCODING));
      const missed = lines.find((line) => !each.mappings.has(line));
      if (missed !== undefined) throw new Error(`what the kernel says of a mapping was not understood: ${missed}`);
    } else each.mappings = new Map(lines.map((line) => [line, each.mappings.get(line)!]));
  } catch (error) {
    // It has ended: CRIU finds no such process either. Whatever else it is, an empty view would be a process without memory.
    if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    each.isSure = true;
    each.mappings = new Map();
  }
  const unseen = new Set(unseenAmong(each.mappings));
  each.unseen = [...unseen];
  const text = [...each.mappings].map(
    ([line, mapping]) => `${line}\nVmFlags: ${mapping.flags.join(" ")}${unseen.has(mapping) ? ` ${DROPPABLE}` : ""}\n`,
  );
  writeFileSync(viewOf(folder, each.pid), text.join(""), MAPS_ENCODING);
  each.present = readPresentAgain(each.pid, each.unseen, each.before);
  each.present.catch(() => {});
}

/** As far as they are worth it. */
function unseenAmong(mappings: ReadonlyMap<string, Mapping>): Mapping[] {
  return [...mappings.values()].filter(
    (each) =>
      each.heldBytes >= Math.max(LEAST_HELD_BYTES, (each.end - each.start) / MOST_TIMES_LARGER) &&
      mayFollow(each) &&
      !each.flags.includes(GROWS),
  );
}

/** Whether CRIU may bring it later (vma_entry_can_be_lazy of its criu/include/vma.h), and it is nothing special. */
function mayFollow({ permissions, inode, name, flags }: Mapping): boolean {
  return (
    permissions.endsWith("p") &&
    inode === 0 &&
    (name === "" || name === "[heap]" || name === "[stack]" || name.startsWith("[anon:")) &&
    !flags.some((flag) => NOT_LAZY.has(flag))
  );
}

const readBy = (flags: readonly string[]) => flags.filter((flag) => CRIU_READS.has(flag)).join(" ");
