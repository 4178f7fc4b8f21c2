import { type CounterSet, makeCounter } from "./counter.js";
import { parseCount } from "./parse-number.js";
import type { Probe } from "./probe.js";

/** The unit of /proc/diskstats, whatever the disk's own sector size (Documentation/admin-guide/iostats.rst). */
const BYTES_PER_SECTOR = 512;

export interface DeviceBytes {
  /** `major:minor`. */
  readonly device: string;
  readonly readBytes: number;
  readonly writeBytes: number;
}

/** Reads /proc/diskstats. */
export function parseDiskstats(text: string): DeviceBytes[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const fields = line.trim().split(/\s+/);
      return {
        device: `${fields[0]}:${fields[1]}`,
        readBytes: parseCount(fields[5]) * BYTES_PER_SECTOR,
        writeBytes: parseCount(fields[9]) * BYTES_PER_SECTOR,
      };
    });
}

export interface DiskCounters {
  readonly read: CounterSet;
  readonly write: CounterSet;
}

/** Keeps real disks: what passes a partition, LVM, RAID or a loop device ends on one of them and would count twice. */
export async function countDisks(probe: Probe, devices: readonly DeviceBytes[], origin: string): Promise<DiskCounters> {
  const isDisk = await Promise.all(devices.map((entry) => probe.exists(`/sys/dev/block/${entry.device}/device`)));
  const disks = devices.filter((_, index) => isDisk[index]);
  const counters = (field: "readBytes" | "writeBytes"): CounterSet =>
    new Map(disks.map((disk) => [disk.device, makeCounter(disk[field], origin)!]));
  return { read: counters("readBytes"), write: counters("writeBytes") };
}
