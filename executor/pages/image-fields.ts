/** A field of a message in CRIU's images (protocol buffers). `at`: where its value begins; `value`: of a number; `end`: of a message in it. */
interface Field {
  readonly field: number;
  readonly value: number;
  readonly at: number;
  readonly end: number;
}

/** Two magic numbers; then messages, each behind its length. */
const MAGIC_BYTES = 8;

/** Where each message of an image begins and ends. @throws when it is cut short. */
export function messagesOf(image: Buffer, name: string): { readonly begin: number; readonly end: number }[] {
  const messages: { begin: number; end: number }[] = [];
  for (let at = MAGIC_BYTES; at + 4 <= image.length; at = messages.at(-1)!.end) {
    const end = at + 4 + image.readUInt32LE(at);
    if (end > image.length) throw new Error(`${name} ends within an entry`);
    messages.push({ begin: at + 4, end });
  }
  return messages;
}

/** Sums instead of shifts, for an address has more than 32 bits. */
export function fieldsOf(image: Buffer, begin: number, end: number): Field[] {
  const fields: Field[] = [];
  let at = begin;
  const next = () => {
    let value = 0;
    for (let factor = 1; at < end; factor *= 128) {
      const byte = image[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < end) {
    const key = next();
    const kind = key & 7;
    if (kind === 0) {
      const valueAt = at;
      fields.push({ field: key >> 3, value: next(), at: valueAt, end: at });
    } else {
      const length = kind === 2 ? next() : kind === 1 ? 8 : 4;
      fields.push({ field: key >> 3, value: 0, at, end: at + length });
      at += length;
    }
  }
  return fields;
}

/** A message of numbers, behind its length. */
export function encodeMessage(fields: readonly (readonly [field: number, value: number])[]): Buffer {
  const bytes: number[] = [];
  for (const [field, value] of fields) {
    bytes.push(field << 3);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  }
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, Buffer.from(bytes)]);
}
