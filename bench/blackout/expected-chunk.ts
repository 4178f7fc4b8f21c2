import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { generationOf } from "../../lab/clients/expected-page.js";

const CHUNK_BYTES = 65_536;
const HEADER_BYTES = 16;
const PATTERN = createHash("shake256", { outputLength: 2 * CHUNK_BYTES })
  .update("evenkeel holder")
  .digest();

/** The checksum that a chunk of the holder must have once `rewritten` of all `chunks` have been rewritten; same rule as in holder.py. */
export function expectedChecksum(chunk: number, chunks: number, rewritten: number): string {
  const generation = generationOf(chunk, chunks, rewritten);
  const start = (chunk * 4099 + generation * 17) % CHUNK_BYTES;
  const expected = Buffer.allocUnsafe(CHUNK_BYTES);
  expected.writeBigUInt64LE(BigInt(chunk), 0);
  expected.writeBigUInt64LE(BigInt(generation), 8);
  PATTERN.copy(expected, HEADER_BYTES, start, start + CHUNK_BYTES - HEADER_BYTES);
  return crc32(expected).toString(16).padStart(8, "0");
}
