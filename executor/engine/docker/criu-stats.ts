/** What CRIU says of a dump or restore in its stats image. Times in seconds. */
export type CriuStats = Readonly<Record<string, number>>;

/** Message and fields of images/stats.proto. */
const FIELDS: Readonly<Record<number, readonly (string | undefined)[]>> = {
  1: [undefined, "freezingSeconds", "frozenSeconds", "memdumpSeconds", "memwriteSeconds", "pagesScanned", undefined, "pagesWritten"],
  2: [undefined, "pagesCompared", undefined, "forkingSeconds", "restoreSeconds", "pagesRestored"],
};
/** Two magic numbers and the length of the message. */
const HEADER_BYTES = 12;
const MICROSECONDS = 1e6;

/** Reads `stats-dump` or `stats-restore`: one message that holds one message of numbers. Empty for anything else. */
export function readStats(image: Buffer): CriuStats {
  const stats: Record<string, number> = {};
  const kind = (image[HEADER_BYTES] ?? 0) >> 3;
  const reader = { at: HEADER_BYTES + 1 };
  const end = varint(image, reader) + reader.at;
  const names = FIELDS[kind] ?? [];
  while (reader.at < Math.min(end, image.length)) {
    const field = varint(image, reader) >> 3;
    const value = varint(image, reader);
    const name = names[field];
    if (name !== undefined) stats[name] = name.endsWith("Seconds") ? value / MICROSECONDS : value;
  }
  return stats;
}

/** A base-128 number of protocol buffers; sums instead of shifts, for it may have more than 32 bits. */
function varint(bytes: Buffer, reader: { at: number }): number {
  let value = 0;
  for (let factor = 1; reader.at < bytes.length; factor *= 128) {
    const byte = bytes[reader.at++] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) break;
  }
  return value;
}
