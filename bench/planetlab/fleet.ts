import { HISTORY_LENGTH, type HostKind, hostKindOf, type VmKind, vmKindOf } from "./setup.js";

export interface Vm {
  readonly index: number;
  readonly kind: VmKind;
  /** Where it runs; null before it is placed and after its work is done. */
  host: Host | null;
  /** MIPS asked for right now. */
  demandMips: number;
  migrating: boolean;
  /** Demand ratios of the past, newest first. */
  readonly history: number[];
}

export interface Host {
  readonly index: number;
  readonly kind: HostKind;
  readonly capacityMips: number;
  /** VMs that run here, and those on their way here, in order of arrival. */
  vms: Vm[];
  readonly arriving: Set<Vm>;
  /** MIPS in use at the last reading. */
  usedMips: number;
  /** On although it may be empty, since whoever minds the hosts' power has not put it to sleep. */
  keptAwake: boolean;
}

/** What a policy may look at: the present and the past, never the traces. */
export interface Fleet {
  seconds: number;
  /** When the VMs last noted what they asked for. */
  readAt: number;
  readonly hosts: readonly Host[];
  readonly vms: readonly Vm[];
}

export interface Migration {
  readonly vm: Vm;
  readonly to: Host;
}

export interface Decision {
  readonly migrations: readonly Migration[];
  /** Hosts to be switched on, and empty ones to be switched off. */
  readonly wake: readonly Host[];
  readonly sleep: readonly Host[];
}

/** The literature's kind: decides once with every reading, when no migration is under way, and a host is on while it has load. */
export interface FleetPolicy {
  readonly name: string;
  decide(fleet: Fleet): Migration[];
}

/** One that minds the hosts' power itself, and is asked again and again between two readings. Those in use are on at the beginning. */
export interface TickingPolicy {
  readonly name: string;
  readonly tickSeconds: number;
  decide(fleet: Fleet, now: number): Decision;
}

export function buildFleet(hostCount: number, vmCount: number): Fleet {
  const hosts = Array.from({ length: hostCount }, (_, index): Host => {
    const kind = hostKindOf(index);
    return { index, kind, capacityMips: kind.coreMips * kind.cores, vms: [], arriving: new Set(), usedMips: 0, keptAwake: false };
  });
  const vms = Array.from({ length: vmCount }, (_, index): Vm => {
    return { index, kind: vmKindOf(index, vmCount), host: null, demandMips: 0, migrating: false, history: [] };
  });
  return { seconds: 0, readAt: 0, hosts, vms };
}

export function remember(fleet: Fleet): void {
  fleet.readAt = fleet.seconds;
  for (const vm of fleet.vms) {
    if (vm.host === null) continue;
    vm.history.unshift(vm.demandMips / vm.kind.mips);
    if (vm.history.length > HISTORY_LENGTH) vm.history.pop();
  }
}

/** CPU ratio of the last reading. Rounding in the shares may lift a full host a hair above 1. */
export function usedRatio(host: Host): number {
  return Math.min(host.usedMips / host.capacityMips, 1);
}

export function detach(host: Host, vm: Vm): void {
  const at = host.vms.indexOf(vm);
  if (at >= 0) host.vms.splice(at, 1);
}
