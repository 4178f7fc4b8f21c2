/**
 * The machines of the literature's consolidation experiments (Beloglazov and Buyya, "Optimal Online Deterministic
 * Algorithms …", 2012): 800 dual-core servers of two kinds, four kinds of virtual machines, power from SPECpower.
 */
export interface HostKind {
  readonly name: string;
  readonly coreMips: number;
  readonly cores: number;
  /** Watts at 0, 10 … 100 % of CPU. A host without load is off and draws nothing. */
  readonly watts: readonly number[];
}

export interface VmKind {
  readonly mips: number;
  readonly memoryMegabytes: number;
}

export const HOST_KINDS: readonly HostKind[] = [
  { name: "G4", coreMips: 1860, cores: 2, watts: [86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117] },
  { name: "G5", coreMips: 2660, cores: 2, watts: [93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135] },
];

export const VM_KINDS: readonly VmKind[] = [
  { mips: 2500, memoryMegabytes: 870 },
  { mips: 2000, memoryMegabytes: 1740 },
  { mips: 1000, memoryMegabytes: 1740 },
  { mips: 500, memoryMegabytes: 613 },
];

export const HOST_COUNT = 800;
export const HOST_MEMORY_MEGABYTES = 4096;
/** Each VM reserves a tenth of its host's link while it is being created. */
export const VMS_PER_LINK = 10;
export const INTERVAL_SECONDS = 300;
/** VMs are asked for at 0 and start their work a moment later; every later instant carries this offset. */
export const START_SECONDS = 0.1;
export const DAY_SECONDS = 24 * 60 * 60;
/** Half of a gigabit link, in megabytes a second as the literature counts them. */
export const MIGRATION_MEGABYTES_PER_SECOND = 62.5;
/** What a VM still gets of its CPU while it is being moved, and what it already takes at its destination. */
export const MIGRATING_SOURCE_SHARE = 0.9;
export const MIGRATING_DESTINATION_SHARE = 0.1;
/** Samples of its own past that a VM remembers. */
export const HISTORY_LENGTH = 30;

/** VM kinds follow the quarters of the sorted list of traces. */
export function vmKindOf(index: number, count: number): VmKind {
  return VM_KINDS[Math.floor(index / Math.ceil(count / VM_KINDS.length))] as VmKind;
}

export function hostKindOf(index: number): HostKind {
  return HOST_KINDS[index % HOST_KINDS.length] as HostKind;
}

/** Watts at a CPU ratio 0..1, linear between the measured tenths. */
export function wattsAt(kind: HostKind, cpuRatio: number): number {
  const low = Math.floor(cpuRatio * 10);
  const high = Math.ceil(cpuRatio * 10);
  const lowWatts = kind.watts[low] as number;
  return lowWatts + (((kind.watts[high] as number) - lowWatts) / 10) * (cpuRatio - low / 10) * 100;
}
