import { availableParallelism } from "node:os";
import { pipeline, type Readable } from "node:stream";
import { compressionPays, leastBytesThatPay } from "../channel/compression-pays.js";
import { type Pace, paced } from "../channel/pace.js";
import { compress } from "../channel/zstd.js";
import type { Outgoing } from "../peer/protocol.js";
import type { Held, Surroundings } from "./migration.js";
import { readSample } from "./read-sample.js";

/** How the bytes of all migrations leave this node, by its configuration. */
export interface StreamSettings {
  /** Shared by all of them; null = as fast as the link takes them. */
  readonly pace: Pace | null;
  readonly capsFreeze: boolean;
  readonly compression: "auto" | "always" | "never";
}

/** Tries the link and decides, for the whole migration, whether what is sent is compressed. */
export async function decideCompression(surroundings: Surroundings, held: Held, hasZstd: boolean): Promise<void> {
  const { streams, node } = surroundings;
  if (!hasZstd || streams.compression === "never") return;
  const bytesPerSecond = await held.peer.measureLink(held.record.id).catch(() => null);
  // A node that is a container itself may use less than the machine has.
  const capacity = (await readSample(surroundings, node))?.cpuCapacityCores ?? Number.POSITIVE_INFINITY;
  const cores = Math.min(availableParallelism(), capacity);
  const link = { bytesPerSecond, capBytesPerSecond: streams.pace?.bytesPerSecond ?? null, cores };
  const isAsked = streams.compression === "always";
  held.outlet.compresses = isAsked || compressionPays(link);
  const frozen = streams.capsFreeze ? link : { ...link, capBytesPerSecond: null };
  held.outlet.leastFrozenBytes = isAsked ? 0 : leastBytesThatPay(frozen);
  held.log.info({ ...link, compresses: held.outlet.compresses }, "link measured");
}

/** The pace that holds now. */
export function paceOf({ streams }: Surroundings, isFrozen: boolean): Pace | null {
  return isFrozen && !streams.capsFreeze ? null : streams.pace;
}

/** A stream as it goes to the peer: compressed if that pays, at the pace, its bytes counted as they cross. */
export function outgoing(
  surroundings: Surroundings,
  held: Held,
  stream: NodeJS.ReadableStream,
  of: { kind: string } & ({ isFrozen: false } | { isFrozen: true; bytes: number }),
): Outgoing {
  const compresses = of.isFrozen ? of.bytes >= held.outlet.leastFrozenBytes : held.outlet.compresses;
  const carried = paced(null, (bytes) => countCarried(held, of.kind, bytes));
  const counted = paced(paceOf(surroundings, of.isFrozen), (bytes) => {
    countBytes(held, of.kind, bytes);
    if (!compresses) countCarried(held, of.kind, bytes);
  });
  const stages = compresses ? [stream, carried, compress(), counted] : [stream, counted];
  // Its error breaks the last stage too, and with it the request.
  pipeline(stages as [Readable, typeof counted], () => {});
  return { stream: counted, isCompressed: compresses };
}

/** Bytes that have crossed to the peer. */
export function countBytes(held: Held, kind: string, bytes: number): void {
  held.bytes[kind] = (held.bytes[kind] ?? 0) + bytes;
}

/** Bytes of what is carried, before they are compressed: of these the whole is known. */
export function countCarried(held: Held, kind: string, bytes: number): void {
  held.carried[kind] = (held.carried[kind] ?? 0) + bytes;
}
