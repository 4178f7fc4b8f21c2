import { readFileSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { EvenkeelError } from "../../platform/errors.js";

/**
 * A flat folder of CRIU images as one byte stream: pieces, each a line `{"name","at","bytes","crc"}` and its bytes, at the end a line
 * `{"files": {name: size}}`. Not tar: a second process and its pipe on either side cost more than the copying itself, in the freeze; and pieces
 * let a file be sent that is still being written. The channel below authenticates; the CRC is against what goes wrong outside it: memory, tmpfs,
 * a compressor.
 */
const PIECE_BYTES = 1 << 20;
/**
 * Files up to this size, nearly all of CRIU's some fifty, are read and written without giving way: each turn through Node's threads
 * takes longer than the copy, and there would be hundreds of them in the freeze.
 */
const SMALL_BYTES = 64 << 10;
const HEADER_BYTES_MOST = 1 << 20;
const NEWLINE = 10;
const SAFE_NAME = /^[\w-][\w.-]*$/;

/** CRIU only ever appends to these, and they hold nearly all the bytes; every other image may be written anew. */
const GROWING = /^pages-\d+\.img$/;
const LOOK_MILLISECONDS = 10;

export interface Packing {
  /** Told of the images' own bytes. */
  onBytes?(bytes: number): void;
  /** Resolves when the folder is whole; until then the pages that are there are sent ahead. Left out: it is whole. */
  readonly whole?: Promise<unknown>;
}

export function packImages(folder: string, packing: Packing = {}): Readable {
  return Readable.from(frames(folder, packing), { objectMode: false, highWaterMark: 2 * PIECE_BYTES });
}

async function* frames(folder: string, { onBytes, whole }: Packing): AsyncGenerator<Buffer> {
  const sent = new Map<string, number>();
  const handles = new Map<string, FileHandle>();
  async function* piecesOf(name: string, least: number): AsyncGenerator<Buffer> {
    const handle = handles.get(name) ?? (await open(`${folder}/${name}`, "r"));
    handles.set(name, handle);
    for (;;) {
      const at = sent.get(name) ?? 0;
      if ((await handle.stat()).size - at < least) return;
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(PIECE_BYTES), 0, PIECE_BYTES, at);
      if (bytesRead === 0) return;
      const piece = buffer.subarray(0, bytesRead);
      yield line({ name, at, bytes: bytesRead, crc: crc32(piece) });
      yield piece;
      sent.set(name, at + bytesRead);
      onBytes?.(bytesRead);
    }
  }
  try {
    if (whole !== undefined) {
      let isWhole = false;
      whole.then(
        () => {
          isWhole = true;
        },
        () => {},
      );
      while (!isWhole) {
        for (const name of (await readdir(folder)).filter((each) => GROWING.test(each))) yield* piecesOf(name, PIECE_BYTES);
        await Promise.race([whole, new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS))]);
      }
    }
    // Folders are other streams' business, and links are made anew on the other end.
    const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name);
    const sizes: Record<string, number> = {};
    // The pages last: whoever takes the memory in can begin with the rest.
    for (const part of [names.filter((name) => !GROWING.test(name)), names.filter((name) => GROWING.test(name))]) {
      const small: Buffer[] = [];
      for (const name of part) {
        sizes[name] = statSync(`${folder}/${name}`).size;
        if (sizes[name] > SMALL_BYTES || sent.has(name)) yield* piecesOf(name, 1);
        else if (sizes[name] > 0) {
          const whole = readFileSync(`${folder}/${name}`);
          small.push(line({ name, at: 0, bytes: whole.length, crc: crc32(whole) }), whole);
          onBytes?.(whole.length);
        }
      }
      if (small.length > 0) yield Buffer.concat(small);
    }
    yield line({ files: sizes });
  } finally {
    for (const handle of handles.values()) await handle.close();
  }
}

/**
 * `onPages`: called as the first page comes; of a folder that was whole when it was sent, all other files are there then.
 * @throws TRANSFER_FAILED when the stream ends early or names a file that is none of a flat folder's, CHECKSUM_MISMATCH when bytes are not the
 * ones that were sent. Nothing of the folder may be used then.
 */
export async function unpackImages(
  stream: AsyncIterable<Buffer>,
  folder: string,
  onPages: () => Promise<void> = async () => {},
): Promise<void> {
  let hasPages = false;
  const handles = new Map<string, FileHandle>();
  const received = new Map<string, number>();
  let files: Record<string, number> | null = null;
  let header = Buffer.alloc(0);
  let piece: Gathering | null = null;
  const handleOf = async (name: string) => {
    const handle = handles.get(name) ?? (await open(`${folder}/${name}`, received.has(name) ? "r+" : "w", 0o644));
    handles.set(name, handle);
    return handle;
  };
  const write = async ({ header: { name, at, bytes }, parts }: Gathering) => {
    if (at === 0 && bytes <= SMALL_BYTES) writeFileSync(`${folder}/${name}`, Buffer.concat(parts), { mode: 0o644 });
    else await writeAll(await handleOf(name), parts, at);
    received.set(name, (received.get(name) ?? 0) + bytes);
  };
  try {
    for await (const chunk of stream) {
      let rest = chunk;
      while (rest.length > 0) {
        if (piece !== null) {
          rest = piece.take(rest);
          if (piece.left > 0) continue;
          const { name, at, bytes } = piece.header;
          if (piece.crc !== piece.header.crc) throw new EvenkeelError("CHECKSUM_MISMATCH", `${name}, the ${bytes} bytes from ${at}`);
          await write(piece);
          piece = null;
          continue;
        }
        const end = rest.indexOf(NEWLINE);
        header = Buffer.concat([header, end < 0 ? rest : rest.subarray(0, end)]);
        if (header.length > HEADER_BYTES_MOST) throw new EvenkeelError("TRANSFER_FAILED", "the image stream is not one");
        if (end < 0) break;
        rest = rest.subarray(end + 1);
        const parsed = parse(header.toString());
        header = Buffer.alloc(0);
        if ("files" in parsed) files = parsed.files;
        else {
          piece = new Gathering(parsed);
          if (!hasPages && GROWING.test(parsed.name)) await onPages();
          hasPages ||= GROWING.test(parsed.name);
        }
      }
    }
    if (files === null || piece !== null)
      throw new EvenkeelError("TRANSFER_FAILED", `the image stream ended early, after ${received.size} files`);
    for (const [name, size] of Object.entries(files)) {
      if (size === 0) await handleOf(name);
      if ((received.get(name) ?? 0) !== size)
        throw new EvenkeelError("TRANSFER_FAILED", `${name} has ${received.get(name) ?? 0} bytes of ${size}`);
    }
  } finally {
    for (const handle of handles.values()) await handle.close();
  }
}

interface Piece {
  readonly name: string;
  readonly at: number;
  readonly bytes: number;
  readonly crc: number;
}

/** One piece as it comes in, kept until it is whole and known to be right. */
class Gathering {
  readonly parts: Buffer[] = [];
  left: number;
  crc = 0;

  constructor(readonly header: Piece) {
    this.left = header.bytes;
  }

  /** Takes what belongs to it and returns the rest. */
  take(chunk: Buffer): Buffer {
    const own = chunk.subarray(0, this.left);
    this.crc = crc32(own, this.crc);
    this.parts.push(own);
    this.left -= own.length;
    return chunk.subarray(own.length);
  }
}

/** writev(2) may write less than it was given. */
async function writeAll(handle: FileHandle, parts: Buffer[], at: number): Promise<void> {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytesWritten } = await handle.writev(parts, at);
  if (bytesWritten < bytes) throw new EvenkeelError("TRANSFER_FAILED", `no room for an image: ${bytesWritten} of ${bytes} bytes written`);
}

function line(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function parse(text: string): Piece | { files: Record<string, number> } {
  const refuse = () => new EvenkeelError("TRANSFER_FAILED", `the image stream names ${text.slice(0, 80)}`);
  let value: Partial<Piece> & { files?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw refuse();
  }
  const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0;
  const isName = (name: unknown) => typeof name === "string" && SAFE_NAME.test(name);
  if (typeof value.files === "object" && value.files !== null) {
    const files = Object.entries(value.files);
    if (!files.every(([name, size]) => isName(name) && isCount(size))) throw refuse();
    return { files: value.files as Record<string, number> };
  }
  const isPiece = isName(value.name) && isCount(value.at) && isCount(value.crc) && isCount(value.bytes) && value.bytes! <= PIECE_BYTES;
  if (!isPiece || value.bytes === 0) throw refuse();
  return value as Piece;
}
