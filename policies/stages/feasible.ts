import type { PolicyConfig } from "../config.js";
import type { NodeView } from "../fleet.js";
import type { Ledger } from "../ledger.js";
import type { Need } from "../need.js";
import type { SkipReason, WorkloadState } from "../types.js";

/**
 * The hard constraints between a workload and a node, for every kind of move. Null: it may go there. Room is counted as
 * if nothing ever left the target, so it holds during the move as well as after it.
 */
export function whyNotThere(
  workload: WorkloadState,
  need: Need,
  target: NodeView,
  ledger: Ledger,
  config: PolicyConfig,
): SkipReason | null {
  const { pinnedTo, antiAffinityGroup } = workload.constraints;
  if (pinnedTo.length > 0 && !pinnedTo.includes(target.id)) return "workload-pinned";
  if (target.load === null) return "target-unknown";
  if (target.state.maintenance !== null) return "target-maintenance";
  if (antiAffinityGroup !== null && ledger.groupNodes.get(antiAffinityGroup)?.has(target.id)) return "anti-affinity";
  const account = ledger.accounts.get(target.id)!;
  const cpuCores = target.load.cpuCores.high + account.arrivingCpuCores + need.cpuCores;
  if (cpuCores > target.state.cpuCapacityCores * cpuCeiling(config)) return "target-cpu-full";
  const memoryBytes = target.load.memoryBytes.high + account.arrivingMemoryBytes + need.memoryBytes;
  if (memoryBytes > target.state.memoryCapacityBytes * memoryCeiling(config)) return "target-memory-full";
  return null;
}

/** A target filled beyond the detect bound would be the next overloaded node. */
export function cpuCeiling(config: PolicyConfig): number {
  return config.overload.enabled ? Math.min(config.headroom.cpuRatio, config.overload.cpuDetectRatio) : config.headroom.cpuRatio;
}

export function memoryCeiling(config: PolicyConfig): number {
  return config.overload.enabled ? Math.min(config.headroom.memoryRatio, config.overload.memoryDetectRatio) : config.headroom.memoryRatio;
}
