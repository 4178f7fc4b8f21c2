import { type CgroupFormat, CONTROLLERS } from "./cgroup-format.js";
import { type CgroupMounts, type CgroupPlace, nodePlaceOf } from "./cgroup-mounts.js";
import { cgroupV1 } from "./cgroup-v1.js";
import { cgroupV2 } from "./cgroup-v2.js";
import { type Counter, makeCounter } from "./counter.js";
import { countDisks, type DiskCounters, parseDiskstats } from "./disk.js";
import { parseMeminfo } from "./meminfo.js";
import { type NetworkCounters, readNetwork } from "./network.js";
import { type Pressures, readPressures } from "./pressure.js";
import type { Probe } from "./probe.js";
import { parseProcStat } from "./proc-stat.js";

export interface HostReading {
  readonly cpuCapacityCores: number | null;
  readonly cpuUsedSeconds: Counter | null;
  readonly memoryCapacityBytes: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryAvailableBytes: number | null;
  readonly pressure: Pressures;
  readonly network: NetworkCounters | null;
  readonly disk: DiskCounters | null;
}

export const FORMATS: Readonly<Record<1 | 2, CgroupFormat>> = { 1: cgroupV1, 2: cgroupV2 };

/**
 * Reads the node's own use and size. A node may be smaller than the machine (an LXC container, a lab node): where its top cgroup
 * has a CPU quota or a memory limit, use and capacity of that resource come from the cgroup, because /proc tells of the machine.
 */
export async function readHost(probe: Probe, mounts: CgroupMounts): Promise<HostReading> {
  const [cpu, memory] = await Promise.all([readCpu(probe, mounts), readMemory(probe, mounts)]);
  const confined = cpu.confined || memory.confined;
  const [pressure, network, disk] = await Promise.all([
    readPressures(probe, confined, mounts.v2?.mountPoint ?? null),
    readNetwork(probe),
    readDisk(probe, confined ? nodePlaceOf(mounts, CONTROLLERS.disk) : null),
  ]);
  return {
    cpuCapacityCores: cpu.capacityCores,
    cpuUsedSeconds: cpu.usedSeconds,
    memoryCapacityBytes: memory.capacityBytes,
    memoryUsedBytes: memory.usedBytes,
    memoryAvailableBytes: memory.availableBytes,
    pressure,
    network,
    disk,
  };
}

/** Whether the node is smaller than the machine, so that what the kernel counts for all of it tells of neighbours too. */
export async function isConfinedNode(probe: Probe, mounts: CgroupMounts): Promise<boolean> {
  const [cpu, memory] = await Promise.all([readCpu(probe, mounts), readMemory(probe, mounts)]);
  return cpu.confined || memory.confined;
}

async function readCpu(probe: Probe, mounts: CgroupMounts) {
  const limitPlace = nodePlaceOf(mounts, CONTROLLERS.cpuLimitCores);
  const [machine, limitCores] = await Promise.all([
    probe.read("cpu", "/proc/stat", (text) => ({ ...parseProcStat(text) })),
    limitPlace === null ? null : FORMATS[limitPlace.version].cpuLimitCores(probe, "cpu", limitPlace.directory),
  ]);
  if (limitCores === null) {
    return { confined: false, capacityCores: machine?.onlineCpus ?? null, usedSeconds: makeCounter(machine?.busySeconds ?? null, "proc") };
  }
  const usePlace = nodePlaceOf(mounts, CONTROLLERS.cpuUsedSeconds);
  const used = usePlace === null ? null : await FORMATS[usePlace.version].cpuUsedSeconds(probe, "cpu", usePlace.directory);
  return {
    confined: true,
    capacityCores: machine === null ? limitCores : Math.min(limitCores, machine.onlineCpus),
    usedSeconds: makeCounter(used, "cgroup"),
  };
}

async function readMemory(probe: Probe, mounts: CgroupMounts) {
  const place = nodePlaceOf(mounts, CONTROLLERS.memory);
  const machine = await probe.read("memory", "/proc/meminfo", parseMeminfo);
  const own = place !== null && (await isOwnMemoryCgroup(probe, place)) ? await readCgroupMemory(probe, place) : null;
  if (own === null || own.limitBytes === null || (machine !== null && own.limitBytes >= machine.totalBytes)) {
    return {
      confined: false,
      capacityBytes: machine?.totalBytes ?? null,
      usedBytes: machine === null ? null : machine.totalBytes - machine.availableBytes,
      availableBytes: machine?.availableBytes ?? null,
    };
  }
  const free = own.usedBytes === null ? null : Math.max(0, own.limitBytes - own.usedBytes);
  return {
    confined: true,
    capacityBytes: own.limitBytes,
    usedBytes: own.usedBytes,
    // The machine may run out before the node reaches its limit.
    availableBytes: free === null || machine === null ? free : Math.min(free, machine.availableBytes),
  };
}

/** The true root of cgroup v2 keeps no memory.current: such a node is the machine. */
async function isOwnMemoryCgroup(probe: Probe, place: CgroupPlace): Promise<boolean> {
  return place.version === 1 || (await probe.exists(`${place.directory}/memory.current`));
}

function readCgroupMemory(probe: Probe, place: CgroupPlace) {
  return FORMATS[place.version].memory(probe, "memory", place.directory);
}

async function readDisk(probe: Probe, place: CgroupPlace | null): Promise<DiskCounters | null> {
  const devices =
    place === null
      ? await probe.read("disk", "/proc/diskstats", parseDiskstats)
      : await FORMATS[place.version].disk(probe, "disk", place.directory);
  return devices === null ? null : countDisks(probe, devices, place === null ? "proc" : "cgroup");
}
