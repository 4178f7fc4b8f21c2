/** `zstd --fast=1` on one core of a machine with other work, over pages of a Python program: 220 MB/s (2026, 2 cores). */
const ZSTD_BYTES_PER_SECOND = 200e6;
/** How much smaller memory and files become, at least mostly. What is compressed already stays as it is, and then costs only the cores. */
const SHRINK = 2;
/** It must gain this much to be worth the cores that the workloads of both nodes lose. */
const GAIN_LEAST = 1.25;
/** Before the first byte comes out on the other end two zstd have to be started, one on each (2026, 2 cores). */
const START_SECONDS = 0.03;

export interface Link {
  /** As measured; null = could not be. */
  readonly bytesPerSecond: number | null;
  /** What the configuration allows on it; null = all. */
  readonly capBytesPerSecond: number | null;
  /** Of the sending node; null = unknown. One of them is left to everything else. */
  readonly cores: number;
}

/** Whether bytes arrive sooner when they are compressed first. An unknown link is taken for a fast one. */
export function compressionPays(link: Link): boolean {
  const { plain, compressed } = rates(link);
  return compressed >= plain * GAIN_LEAST;
}

/** How many bytes it takes for compression to gain what starting it costs, while a workload stands still. Infinite where it never does. */
export function leastBytesThatPay(link: Link): number {
  const { plain, compressed } = rates(link);
  return compressionPays(link) ? START_SECONDS / (1 / plain - 1 / compressed) : Number.POSITIVE_INFINITY;
}

/** Bytes a second that arrive, of what is there before it is compressed. */
function rates({ bytesPerSecond, capBytesPerSecond, cores }: Link): { plain: number; compressed: number } {
  const plain = Math.min(bytesPerSecond ?? Number.POSITIVE_INFINITY, capBytesPerSecond ?? Number.POSITIVE_INFINITY);
  if (cores < 2 || plain === Number.POSITIVE_INFINITY) return { plain, compressed: 0 };
  return { plain, compressed: Math.min(ZSTD_BYTES_PER_SECOND * (cores - 1), plain * SHRINK) };
}
