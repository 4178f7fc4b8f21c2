import { type ConsolidateConfig, DEFAULT_CONSOLIDATE_CONFIG } from "../../policies/consolidate/config.js";
import { consolidate } from "../../policies/consolidate/consolidate.js";
import type { PowerNode, PowerWorkload } from "../../policies/consolidate/types.js";
import type { Constraints } from "../../policies/types.js";
import type { Fleet, FleetPolicy, Host, Migration, Vm } from "./fleet.js";

const FREE: Constraints = { mode: "auto", antiAffinityGroup: null, pinnedTo: [] };

/** As it ships, but without a spare node: in this set-up an empty host is off, whatever a policy wants. */
export const BENCH_CONFIG: ConsolidateConfig = { ...DEFAULT_CONSOLIDATE_CONFIG, spareNodes: 0 };

/** Evenkeel's consolidation, told what a snapshot would tell it: readings so far, capacities, power curves. */
export function consolidatePolicy(config: ConsolidateConfig): FleetPolicy {
  const lastMovedAt = new Map<Vm, number>();
  return {
    name: "evenkeel-consolidate",
    decide(fleet: Fleet): Migration[] {
      const nodes = fleet.hosts.map(toNode);
      const workloads = fleet.vms.flatMap((vm) => (vm.host === null ? [] : [toWorkload(vm, vm.host, lastMovedAt.get(vm) ?? null)]));
      return consolidate({ at: fleet.seconds, nodes, workloads }, config).moves.map((move) => {
        const vm = fleet.vms[Number(move.workload)] as Vm;
        lastMovedAt.set(vm, fleet.seconds);
        return { vm, to: fleet.hosts[Number(move.to)] as Host };
      });
    },
  };
}

function toNode(host: Host): PowerNode {
  return {
    id: String(host.index),
    cpuCapacity: host.capacityMips,
    cpuPerWorkload: host.kind.coreMips,
    // The literature lets memory set the length of a migration only.
    memoryCapacityBytes: Number.POSITIVE_INFINITY,
    watts: host.kind.watts,
    awake: host.usedMips > 0,
    closed: false,
  };
}

function toWorkload(vm: Vm, host: Host, lastMovedAt: number | null): PowerWorkload {
  return {
    id: String(vm.index),
    node: String(host.index),
    cpuHistory: vm.history.map((ratio) => ratio * vm.kind.mips),
    cpuLimit: vm.kind.mips,
    memoryBytes: vm.kind.memoryMegabytes * 2 ** 20,
    lastMovedAt,
    constraints: FREE,
  };
}
