import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { parsePagemap } from "../../pages/pagemap-image.js";
import { type Field, numberIn, readImage, readMessage, withNumber, writeImage, writeMessage } from "./criu-messages.js";

/** Of images/ipc-shm.proto, ipc-desc.proto, mm.proto, vma.proto and ipc-var.proto. */
const SEGMENT = { description: 1, size: 2, pagesApart: 3 };
const DESCRIPTION_ID = 7;
const MEMORY_AREA = 14;
const AREA = { start: 1, end: 2, offset: 3, segment: 4, protection: 5, status: 7, descriptor: 8, fileFlags: 10 };
/** Ids that somebody has asked the kernel for and not used: written while the owner makes its own, one would get the wrong. */
const NEXT_IDS = new Set([15, 16, 17]);

/** Of criu/include/image.h. */
const ANONYMOUS_SHARED = 1n << 8n;
const SYSTEM_V = 1n << 10n;
/** CRIU's restorer attaches an area with this for writing, and then takes it away (pie/restorer.c, restore_mapping). */
const EXECUTABLE = 4n;
const READ_WRITE = 2n;
/** The area belongs to an attachment that began before it (criu/include/shmem.h). */
const NO_ATTACHMENT = 0x7fffffffn;
const PAGE_BYTES = 4096n;

/** Sizes in bytes of System V segments by their ids. */
type Segments = ReadonlyMap<bigint, bigint>;

/**
 * Makes the images of a workload that has joined another's IPC namespace fit for a restore into that of the owner's twin. CRIU dumps the whole namespace
 * with each that is in it, and would make everything in it a second time: so that is taken out, and left to the owner's images. CRIU's own way to
 * an attached segment leads through those; an area that names its segment as its descriptor goes straight to the restorer, which attaches it. @throws CHECKPOINT_FAILED
 */
export async function leaveIpcToOwner(images: string): Promise<void> {
  try {
    const names = await readdir(images);
    const of = (pattern: RegExp) => names.filter((name) => pattern.test(name)).map((name) => `${images}/${name}`);
    const lists = await Promise.all(of(/^ipcns-shm-\d+\.img$/).map(async (path) => readSegments(await readFile(path))));
    const segments = new Map(lists.flatMap((list) => [...list]));
    await Promise.all([
      ...of(/^mm-\d+\.img$/).map((path) => rewrite(path, (image) => attachDirectly(image, segments))),
      ...of(/^ipcns-var-\d+\.img$/).map((path) => rewrite(path, withoutNextIds)),
    ]);
    // CRIU takes an image that is not there for one of nothing.
    await Promise.all(of(/^ipcns-(shm|msg|sem)-\d+\.img$/).map((path) => rm(path)));
    await Promise.all([...segments.keys()].map((id) => removePages(images, id)));
  } catch (error) {
    throw new EvenkeelError("CHECKPOINT_FAILED", `its part of a shared IPC namespace: ${(error as Error).message}`, { cause: error });
  }
}

async function rewrite(path: string, change: (image: Buffer) => Buffer): Promise<void> {
  await writeFile(path, change(await readFile(path)));
}

/** @param image ipcns-shm */
export function readSegments(image: Buffer): Segments {
  return new Map(
    readImage(image).messages.map((message) => {
      const segment = readMessage(message);
      const description = segment.find(({ number }) => number === SEGMENT.description)?.value;
      if (!Buffer.isBuffer(description) || numberIn(segment, SEGMENT.pagesApart) !== 1n)
        throw new Error("a segment of a form that is not known");
      return [numberIn(readMessage(description), DESCRIPTION_ID) ?? 0n, numberIn(segment, SEGMENT.size) ?? 0n];
    }),
  );
}

/** @param image mm: the memory areas of one process. @throws where CRIU would refuse too: a segment of which only a part is attached */
export function attachDirectly(image: Buffer, segments: Segments): Buffer {
  const { magic, messages } = readImage(image);
  return writeImage({ magic, messages: messages.map((message) => writeMessage(attachAreas(readMessage(message), segments))) });
}

interface Attachment {
  readonly first: number;
  readonly segment: bigint;
  readonly start: bigint;
  end: bigint;
  isWritten: boolean;
}

function attachAreas(memory: readonly Field[], segments: Segments): Field[] {
  const changed = [...memory];
  const areas = new Map<number, Field[]>();
  const attachments: Attachment[] = [];
  for (const [index, { number, value }] of memory.entries()) {
    if (number !== MEMORY_AREA || !Buffer.isBuffer(value)) continue;
    const area = readMessage(value);
    const read = (field: number) => numberIn(area, field) ?? 0n;
    const status = read(AREA.status);
    if ((status & SYSTEM_V) === 0n) continue;
    const segment = read(AREA.segment);
    if (!segments.has(segment)) throw new Error(`System V segment ${segment} is attached and in another namespace`);
    const isFirst = read(AREA.offset) === 0n;
    const begun = attachments.at(-1);
    // One call attaches the whole of a segment; parts of it may be protected in other ways afterwards.
    if (isFirst) attachments.push({ first: index, segment, start: read(AREA.start), end: read(AREA.end), isWritten: false });
    else if (begun?.segment !== segment || begun.end !== read(AREA.start) || begun.start + read(AREA.offset) !== begun.end)
      throw new Error(`System V segment ${segment} is attached with a hole`);
    const own = attachments.at(-1)!;
    own.end = read(AREA.end);
    own.isWritten ||= (numberIn(area, AREA.fileFlags) ?? READ_WRITE) === READ_WRITE;
    const descriptor = isFirst ? segment : NO_ATTACHMENT;
    areas.set(index, withNumber(withNumber(area, AREA.status, status & ~ANONYMOUS_SHARED), AREA.descriptor, descriptor << 1n));
  }
  for (const { first, segment, start, end, isWritten } of attachments) {
    const bytes = ((segments.get(segment)! + PAGE_BYTES - 1n) / PAGE_BYTES) * PAGE_BYTES;
    if (end - start !== bytes) throw new Error(`System V segment ${segment} is attached with a hole at its end`);
    const area = areas.get(first)!;
    const protection = numberIn(area, AREA.protection) ?? 0n;
    if (isWritten) areas.set(first, withNumber(area, AREA.protection, protection | EXECUTABLE));
  }
  for (const [index, area] of areas) changed[index] = { number: MEMORY_AREA, value: writeMessage(area) };
  return changed;
}

/** @param image ipcns-var: limits, which are those of the owner's images too */
export function withoutNextIds(image: Buffer): Buffer {
  const { magic, messages } = readImage(image);
  const kept = messages.map((message) => writeMessage(readMessage(message).filter(({ number }) => !NEXT_IDS.has(number))));
  return writeImage({ magic, messages: kept });
}

/** They would cross for nothing. */
async function removePages(images: string, segment: bigint): Promise<void> {
  const pagemap = `${images}/pagemap-shmem-${segment}.img`;
  const { pagesId } = parsePagemap(await readFile(pagemap), Number(segment));
  await Promise.all([rm(pagemap), rm(`${images}/pages-${pagesId}.img`, { force: true })]);
}
