import type { DeviceBytes } from "./disk.js";
import type { Probe, Source } from "./probe.js";

export interface CgroupMemory {
  /** Working set: what is charged less the file cache that the kernel drops first, as the kubelet counts it. */
  readonly usedBytes: number | null;
  /** null = none set. */
  readonly limitBytes: number | null;
}

/**
 * One version of the cgroup file format. `directory` is the cgroup's folder in the hierarchy of that value's controller;
 * each value is null when it could not be read (and the probe holds a failure) or, for limits, when none is set.
 */
export interface CgroupFormat {
  cpuUsedSeconds(probe: Probe, source: Source, directory: string): Promise<number | null>;
  cpuLimitCores(probe: Probe, source: Source, directory: string): Promise<number | null>;
  memory(probe: Probe, source: Source, directory: string): Promise<CgroupMemory>;
  pids(probe: Probe, source: Source, directory: string): Promise<number | null>;
  isFrozen(probe: Probe, source: Source, directory: string): Promise<boolean>;
  disk(probe: Probe, source: Source, directory: string): Promise<readonly DeviceBytes[] | null>;
}

/** The v1 controller that keeps each value; v2 keeps all in one folder. */
export const CONTROLLERS = {
  cpuUsedSeconds: "cpuacct",
  cpuLimitCores: "cpu",
  memory: "memory",
  pids: "pids",
  isFrozen: "freezer",
  disk: "blkio",
} as const satisfies Record<keyof CgroupFormat, string>;
