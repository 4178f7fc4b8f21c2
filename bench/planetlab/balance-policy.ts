import { DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../../policies/config.js";
import { decide } from "../../policies/decide.js";
import type { NodePoint, NodeState, WorkloadState } from "../../policies/types.js";
import { type Fleet, type FleetPolicy, type Host, type Migration, usedRatio, type Vm } from "./fleet.js";

const MIPS_PER_CORE = 1000;
const HISTORY_POINTS = 12;

/** As it ships; the limits on moves at once are lifted, because one decision here stands for five minutes of them. */
export const BENCH_CONFIG: PolicyConfig = { ...DEFAULT_POLICY_CONFIG, concurrency: { perNode: 100, fleet: 1000 } };

/** Evenkeel's overload relief as the scheduler runs it. It never empties a host, so all 800 stay on. */
export function balancePolicy(config: PolicyConfig): FleetPolicy {
  const histories = new Map<Host, NodePoint[]>();
  const lastMoves = new Map<Vm, { at: number; from: string }>();
  return {
    name: "evenkeel-balance",
    decide(fleet: Fleet): Migration[] {
      const at = fleet.seconds;
      const nodes = fleet.hosts.map((host) => {
        const history = [...(histories.get(host) ?? []), { at, cpuRatio: usedRatio(host), memoryRatio: 0 }].slice(-HISTORY_POINTS);
        histories.set(host, history);
        return toNode(host, history);
      });
      const workloads = fleet.vms.flatMap((vm) => (vm.host === null ? [] : [toWorkload(vm, vm.host, lastMoves.get(vm) ?? null)]));
      return decide({ at, nodes, workloads, migrations: [] }, config, at).moves.map((move) => {
        const vm = fleet.vms[Number(move.workload)] as Vm;
        lastMoves.set(vm, { at, from: move.from });
        return { vm, to: fleet.hosts[Number(move.to)] as Host };
      });
    },
  };
}

function toNode(host: Host, history: readonly NodePoint[]): NodeState {
  return {
    id: String(host.index),
    state: "ready",
    cpuCapacityCores: host.capacityMips / MIPS_PER_CORE,
    memoryCapacityBytes: Number.MAX_SAFE_INTEGER,
    cpuUsedCores: host.usedMips / MIPS_PER_CORE,
    memoryUsedBytes: 0,
    history,
    maintenance: null,
    labels: {},
  };
}

function toWorkload(vm: Vm, host: Host, last: { at: number; from: string } | null): WorkloadState {
  return {
    id: String(vm.index),
    name: `vm-${vm.index}`,
    node: String(host.index),
    cpuUsedCores: vm.demandMips / MIPS_PER_CORE,
    memoryUsedBytes: 0,
    cpuLimitCores: vm.kind.mips / MIPS_PER_CORE,
    memoryLimitBytes: null,
    constraints: { mode: "auto", antiAffinityGroup: null, pinnedTo: [] },
    lastMovedAt: last?.at ?? null,
    lastMovedFrom: last?.from ?? null,
  };
}
