import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { EvenkeelError } from "../../platform/errors.js";

/**
 * A flat folder of CRIU images as one byte stream: for each file a line `{"name","size"}` and its bytes, at the end a line `{"files"}`.
 * Not tar: a second process and its pipe on either side cost more than the copying itself, in the freeze. The channel below authenticates
 * and checksums.
 */
const READ_BYTES = 1 << 20;
const HEADER_BYTES_MOST = 4096;
const NEWLINE = 10;
const SAFE_NAME = /^[\w.-]+$/;

export function packImages(folder: string, onBytes: (bytes: number) => void): Readable {
  return Readable.from(frames(folder, onBytes), { objectMode: false, highWaterMark: 2 * READ_BYTES });
}

async function* frames(folder: string, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  const names = await readdir(folder);
  for (const name of names) {
    const { size } = await stat(`${folder}/${name}`);
    yield line({ name, size });
    if (size === 0) continue;
    for await (const chunk of createReadStream(`${folder}/${name}`, { highWaterMark: READ_BYTES, end: size - 1 })) {
      onBytes((chunk as Buffer).length);
      yield chunk as Buffer;
    }
  }
  yield line({ files: names.length });
}

/** @throws TRANSFER_FAILED when the stream ends early, or names a file that is none of a flat folder's. */
export async function unpackImages(stream: AsyncIterable<Buffer>, folder: string): Promise<void> {
  let header = Buffer.alloc(0);
  let file: GrowingFile | null = null;
  let files = 0;
  let expected: number | null = null;
  try {
    for await (const chunk of stream) {
      let rest = chunk;
      while (rest.length > 0) {
        if (file !== null) {
          const bytes = rest.subarray(0, file.left());
          rest = rest.subarray(bytes.length);
          await file.append(bytes);
          if (file.left() === 0) {
            await file.close();
            file = null;
          }
          continue;
        }
        const end = rest.indexOf(NEWLINE);
        header = Buffer.concat([header, end < 0 ? rest : rest.subarray(0, end)]);
        if (header.length > HEADER_BYTES_MOST) throw new EvenkeelError("TRANSFER_FAILED", "the image stream is not one");
        if (end < 0) break;
        rest = rest.subarray(end + 1);
        const { name, size, files: count } = parse(header.toString());
        header = Buffer.alloc(0);
        if (count !== undefined) {
          expected = count;
          continue;
        }
        files += 1;
        file = await growFile(`${folder}/${name}`, size);
        if (size === 0) {
          await file.close();
          file = null;
        }
      }
    }
    if (expected !== files || file !== null)
      throw new EvenkeelError("TRANSFER_FAILED", `the image stream ended early, after ${files} files`);
  } finally {
    await file?.close();
  }
}

interface GrowingFile {
  left(): number;
  append(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Gathers small pieces, so that each write is worth its system call. */
async function growFile(path: string, size: number): Promise<GrowingFile> {
  const handle = await open(path, "w", 0o644);
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let left = size;
  const flush = async () => {
    if (waitingBytes > 0) await handle.writev(waiting);
    waiting = [];
    waitingBytes = 0;
  };
  return {
    left: () => left,
    async append(bytes) {
      waiting.push(bytes);
      waitingBytes += bytes.length;
      left -= bytes.length;
      if (waitingBytes >= READ_BYTES || left === 0) await flush();
    },
    close: () => handle.close(),
  };
}

function line(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function parse(text: string): { name: string; size: number; files?: number } {
  const value = JSON.parse(text) as { name?: unknown; size?: unknown; files?: unknown };
  if (typeof value.files === "number") return { name: "", size: 0, files: value.files };
  if (typeof value.name !== "string" || !SAFE_NAME.test(value.name) || value.name.startsWith(".") || !Number.isSafeInteger(value.size)) {
    throw new EvenkeelError("TRANSFER_FAILED", `the image stream names ${text.slice(0, 80)}`);
  }
  return { name: value.name, size: value.size as number };
}
