import { constants } from "node:fs";
import { type FileHandle, open, readFile, rename, stat, writeFile } from "node:fs/promises";
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
    const added = await Promise.all(maps.map((map) => addPages(images, map, pids, chosen)));
    return added.reduce((sum, bytes) => sum + bytes, 0);
  } catch (error) {
    throw new EvenkeelError("CHECKPOINT_FAILED", `memory to be taken along: ${(error as Error).message}`, { cause: error });
  }
}

async function addPages(
  images: string,
  { pid, pagesId, image, entries }: Pagemap,
  pids: Readonly<Record<number, number>>,
  chosen: ReadonlySet<PageRange>,
): Promise<number> {
  const here = pids[pid];
  const own = entries.filter((entry) => chosen.has(entry));
  if (here === undefined || own.length === 0) return 0;
  const file = `${images}/pages-${pagesId}.img`;
  const size = await sizeOf(file);
  if (size > REWRITTEN_BYTES) return 0;
  const memory = await open(`/proc/${here}/mem`, constants.O_RDONLY);
  try {
    const before = size === 0 ? Buffer.alloc(0) : await readFile(file);
    // The file holds the pages of all present entries, in their order.
    const pieces: Buffer[] = [];
    let at = 0;
    for (const entry of entries) {
      const bytes = entry.pages * PAGE_BYTES;
      if (entry.where === "present") {
        pieces.push(before.subarray(at, at + bytes));
        at += bytes;
      } else if (chosen.has(entry)) pieces.push(await readMemory(memory, entry.start, bytes));
    }
    if (at !== before.length) throw new Error(`${file} has ${before.length} bytes, its pagemap says ${at}`);
    await writeFile(`${file}.new`, pieces);
    await rename(`${file}.new`, file);
  } finally {
    await memory.close();
  }
  await writeFile(`${images}/pagemap-${pid}.img`, markPresent(image, own));
  return own.reduce((sum, { pages }) => sum + pages * PAGE_BYTES, 0);
}

/** 0 where there is none: a process may have no page that is not left. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

async function readMemory(memory: FileHandle, address: number, bytes: number): Promise<Buffer> {
  const pages = Buffer.allocUnsafeSlow(bytes);
  for (let done = 0; done < bytes; ) {
    const { bytesRead } = await memory.read(pages, done, bytes - done, address + done);
    if (bytesRead === 0) throw new Error(`no memory at 0x${(address + done).toString(16)}`);
    done += bytesRead;
  }
  return pages;
}
