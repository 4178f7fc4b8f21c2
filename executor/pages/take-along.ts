import { closeSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from "node:fs";
import { EvenkeelError } from "../../platform/errors.js";
import { markPresent, PAGE_BYTES, type Pagemap, type PageRange, readPagemaps } from "./pagemap-image.js";
import { chooseSmall } from "./small-pieces.js";

/** The file of pages has to be written anew for it: not where much of a process crosses anyway. */
const REWRITTEN_BYTES = 64 << 20;

/**
 * Puts the small pieces that a lazy dump left with the frozen processes into its images after all, the smallest first. `pids`: those in the container to
 * those here. Returns the bytes added. @throws CHECKPOINT_FAILED
 */
export async function takeAlong(images: string, pids: Readonly<Record<number, number>>): Promise<number> {
  const maps = await readPagemaps(images);
  const chosen = chooseSmall(maps.map(({ entries }) => entries.filter(({ where }) => where === "left")));
  try {
    return maps.reduce((sum, map) => sum + addPages(images, map, pids, chosen), 0);
  } catch (error) {
    throw new EvenkeelError("CHECKPOINT_FAILED", `memory to be taken along: ${(error as Error).message}`, { cause: error });
  }
}

/** Without giving way: some hundred pieces, all of a few megabytes, and each turn through Node's threads would take longer than its copy, in the freeze. */
function addPages(
  images: string,
  { pid, pagesId, image, entries }: Pagemap,
  pids: Readonly<Record<number, number>>,
  chosen: ReadonlySet<PageRange>,
): number {
  const here = pids[pid];
  const own = entries.filter((entry) => chosen.has(entry));
  if (here === undefined || own.length === 0) return 0;
  const file = `${images}/pages-${pagesId}.img`;
  // A process may have no page that is not left.
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > REWRITTEN_BYTES) return 0;
  const memory = openSync(`/proc/${here}/mem`, "r");
  try {
    const before = size === 0 ? Buffer.alloc(0) : readFileSync(file);
    // The file holds the pages of all present entries, in their order.
    const pieces: Buffer[] = [];
    let at = 0;
    for (const entry of entries) {
      const bytes = entry.pages * PAGE_BYTES;
      if (entry.where === "present") {
        pieces.push(before.subarray(at, at + bytes));
        at += bytes;
      } else if (chosen.has(entry)) pieces.push(readMemory(memory, entry.start, bytes));
    }
    if (at !== before.length) throw new Error(`${file} has ${before.length} bytes, its pagemap says ${at}`);
    writeFileSync(`${file}.new`, Buffer.concat(pieces));
    renameSync(`${file}.new`, file);
  } finally {
    closeSync(memory);
  }
  writeFileSync(`${images}/pagemap-${pid}.img`, markPresent(image, own));
  return own.reduce((sum, { pages }) => sum + pages * PAGE_BYTES, 0);
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
