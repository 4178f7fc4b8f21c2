import { encodeMessage } from "../../executor/pages/image-fields.js";

/** Flags of an entry, as CRIU has them. */
export const IN_PARENT = 1;
export const LEFT = 2;
export const PRESENT = 4;

/** A pagemap image as CRIU writes it: magic numbers, the name of the file of pages, entries. */
export function pagemap(pagesId: number, entries: readonly (readonly [start: number, pages: number, flags: number])[]): Buffer {
  const messages = entries.map(([start, pages, flags]) =>
    encodeMessage([
      [1, start],
      [2, pages],
      [4, flags],
      [5, pages],
    ]),
  );
  return Buffer.concat([Buffer.alloc(8), encodeMessage([[1, pagesId]]), ...messages]);
}

/** Flags of a mapping of private memory, and of one that is locked besides. */
export const PRIVATE = 0x22;
export const LOCKED = 0x2022;

/** Status of an ordinary mapping, and of what is guarded in one. */
const REGULAR = 1;
export const GUARD = 1 << 16;

/** An image of a process's mappings as CRIU writes it, with what is read of it. */
export function mappings(areas: readonly (readonly [start: number, end: number, flags: number, status?: number])[]): Buffer {
  const inner = areas.map(([start, end, flags, status = REGULAR]) =>
    encodeMessage([
      [1, start],
      [2, end],
      [6, flags],
      [7, status],
    ]).subarray(4),
  );
  // Each a message in the message: field 14, of the kind that tells its length.
  const bytes = Buffer.concat(inner.flatMap((message) => [Buffer.from([(14 << 3) | 2, message.length]), message]));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.alloc(8), length, bytes]);
}
