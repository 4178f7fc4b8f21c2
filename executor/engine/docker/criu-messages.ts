/** An image of CRIU that holds messages of protocol buffers alone: two magic numbers, then each behind its length. */
export interface CriuImage {
  readonly magic: Buffer;
  readonly messages: readonly Buffer[];
}

/** One field of a message: a number, or bytes, which may be a message too. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Buffer;
}

const MAGIC_BYTES = 8;
const NUMBER = 0n;
const BYTES = 2n;

/** @throws when it is cut short */
export function readImage(image: Buffer): CriuImage {
  const messages: Buffer[] = [];
  for (let at = MAGIC_BYTES; at < image.length; ) {
    const end = at + 4 + (at + 4 > image.length ? 0 : image.readUInt32LE(at));
    if (end > image.length) throw new Error("the image ends within a message");
    messages.push(image.subarray(at + 4, end));
    at = end;
  }
  return { magic: image.subarray(0, MAGIC_BYTES), messages };
}

export function writeImage({ magic, messages }: CriuImage): Buffer {
  const length = (message: Buffer) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(message.length);
    return bytes;
  };
  return Buffer.concat([magic, ...messages.flatMap((message) => [length(message), message])]);
}

/** Fields in their order; numbers as they are encoded, so a `sint` is not decoded. @throws for kinds of fields that CRIU's images do not have */
export function readMessage(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("the message ends within a number");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = next();
    const number = Number(key >> 3n);
    if ((key & 7n) === NUMBER) fields.push({ number, value: next() });
    else if ((key & 7n) === BYTES) {
      const end = Number(next()) + at;
      if (end > message.length) throw new Error("the message ends within a field");
      fields.push({ number, value: message.subarray(at, end) });
      at = end;
    } else throw new Error(`field ${number} of kind ${key & 7n}`);
  }
  return fields;
}

export function writeMessage(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, value }) => {
      const key = BigInt(number) << 3n;
      if (typeof value === "bigint") return [encode(key | NUMBER), encode(value)];
      return [encode(key | BYTES), encode(BigInt(value.length)), value];
    }),
  );
}

/** The number in a field; null = it is not there. */
export function numberIn(fields: readonly Field[], wanted: number): bigint | null {
  const found = fields.find(({ number }) => number === wanted)?.value;
  return typeof found === "bigint" ? found : null;
}

/** The fields with another number in one of them. */
export function withNumber(fields: readonly Field[], wanted: number, value: bigint): Field[] {
  return fields.map((field) => (field.number === wanted ? { number: wanted, value } : field));
}

function encode(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
