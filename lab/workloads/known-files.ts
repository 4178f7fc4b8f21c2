import { createHash } from "node:crypto";

/** A file that the web workload serves; what it holds follows from its name, so that server and client need share nothing. */
export interface KnownFile {
  readonly name: string;
  readonly bytes: number;
}

export const KNOWN_FILES: readonly KnownFile[] = [
  { name: "small.bin", bytes: 700 },
  { name: "page.bin", bytes: 16_384 },
  { name: "odd.bin", bytes: 65_537 },
  { name: "picture.bin", bytes: 262_144 },
];

/** Bytes that do not repeat, the same for the same name everywhere. */
export function knownBytes(name: string, bytes: number): Buffer {
  return createHash("shake256", { outputLength: bytes }).update(`evenkeel ${name}`).digest();
}

export function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
