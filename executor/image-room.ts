import { readFile, statfs } from "node:fs/promises";
import { type Finding, finding } from "../platform/findings.js";
import { mebibytes } from "./preflight/room.js";

/** What is left to everything else that lives in /run and in memory. */
const SPARE_BYTES = 32 << 20;

/** Room for memory images on this node, which wait on tmpfs: those that leave and those that come draw on it together. */
export interface ImageRoom {
  /** Books the room for a migration, or only looks when it is null. Empty = there is room. Safe to repeat. */
  claim(id: string | null, bytes: number): Promise<Finding[]>;
  release(id: string): void;
}

export interface RoomFacts {
  /** Free on the file system that holds the run directory. */
  readonly freeBytes: number;
  /** Free memory of the machine; null = unknown. */
  readonly memoryBytes: number | null;
  /** What the configuration allows; null = all that is free. */
  readonly budgetBytes: number | null;
  /** Booked for other migrations. */
  readonly bookedBytes: number;
}

/** Bytes that may be booked now. */
export function roomLeft({ freeBytes, memoryBytes, budgetBytes, bookedBytes }: RoomFacts): number {
  const free = Math.min(freeBytes, memoryBytes ?? Number.POSITIVE_INFINITY) - SPARE_BYTES;
  return Math.max(0, Math.min(free, budgetBytes ?? Number.POSITIVE_INFINITY) - bookedBytes);
}

export function makeImageRoom(node: string, runDirectory: string, budgetBytes: number | null): ImageRoom {
  const booked = new Map<string, number>();
  return {
    claim: async (id, bytes) => {
      const { bavail, bsize } = await statfs(runDirectory);
      const memoryBytes = await memoryAvailable();
      const bookedBytes = [...booked].filter(([other]) => other !== id).reduce((sum, [, each]) => sum + each, 0);
      const left = roomLeft({ freeBytes: bavail * bsize, memoryBytes, budgetBytes, bookedBytes });
      if (bytes > left) {
        const words = `${runDirectory} of ${node} has room for ${mebibytes(left)}; the images need up to ${mebibytes(bytes)}`;
        return [finding("tmpfs-short", words)];
      }
      if (id !== null) booked.set(id, bytes);
      return [];
    },
    release: (id) => void booked.delete(id),
  };
}

async function memoryAvailable(): Promise<number | null> {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}
