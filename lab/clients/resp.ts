import { AnswerBroken, type Connection } from "./connection.js";

export type RespReply = string | number | Buffer | null;

/** An error the server answered with: the stream is whole, the command failed. */
export class RespError extends Error {
  override readonly name = "RespError";
}

/** One command in RESP2. By hand because what is tested is this one connection, byte by byte, and no library's mending of it. */
export function encodeCommand(parts: readonly (string | Buffer)[]): Buffer {
  const pieces = parts.flatMap((part) => {
    const bytes = Buffer.isBuffer(part) ? part : Buffer.from(part);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")];
  });
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...pieces]);
}

/** Reads a simple string, error, integer or bulk string. Throws RespError for an error reply, AnswerBroken for anything else. */
export async function readReply(connection: Connection): Promise<RespReply> {
  const line = await connection.readLine();
  const rest = line.slice(1);
  switch (line[0]) {
    case "+":
      return rest;
    case "-":
      throw new RespError(rest);
    case ":":
      return wholeNumber(rest, line);
    case "$": {
      const length = wholeNumber(rest, line);
      if (length === -1) return null;
      if (length < 0 || length > MOST_BULK_BYTES) break;
      const bytes = await connection.readBytes(length + 2);
      if (bytes.subarray(length).toString("latin1") !== "\r\n") break;
      return bytes.subarray(0, length);
    }
  }
  throw new AnswerBroken(`not RESP: ${JSON.stringify(line.slice(0, 60))}`);
}

const MOST_BULK_BYTES = 1 << 24;

function wholeNumber(text: string, line: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new AnswerBroken(`not RESP: ${JSON.stringify(line.slice(0, 60))}`);
  return Number(text);
}
