import type { CompleteConfig, PolicyConfig } from "../config.js";
import { type Fleet, type NodeView, whyAnyOf } from "../fleet.js";
import type { Ledger } from "../ledger.js";
import { type Need, needOf } from "../need.js";
import { isPinnedTo, isWithGroup, whyNotOn } from "../placement/rules.js";
import { isAway } from "../power.js";
import { refusalBy } from "../refusal/rest.js";
import type { NodeState, SkipReason, WorkloadState } from "../types.js";

export interface Terrain {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly config: CompleteConfig;
  readonly now: number;
  /** Nodes that show signs of failing. */
  readonly suspects: ReadonlySet<string>;
}

/**
 * The hard constraints between a workload and a node, for every kind of move. Null: it may go there. Room is counted as
 * if nothing ever left the target, so it holds during the move as well as after it. `mustLeave`: its node is to be emptied.
 */
export function whyNotThere(workload: WorkloadState, need: Need, target: NodeView, terrain: Terrain, mustLeave = false): SkipReason | null {
  return whyNotMeantFor(workload, target, terrain, mustLeave) ?? whyNoRoom(workload, need, target, terrain, mustLeave);
}

/** All of them but room. `target-asleep` only where nothing else stands in the way: what waits for that node would else wait in vain. */
export function whyNotMeantFor(workload: WorkloadState, target: NodeView, terrain: Terrain, mustLeave = false): SkipReason | null {
  if (!isPinnedTo(workload, target)) return "workload-pinned";
  const { fleet, ledger } = terrain;
  const closed = whyClosed(target, terrain);
  if (closed !== null && closed !== "target-asleep") return closed;
  const misplaced = whyAnyOf(workload, fleet, (member) => whyUnfit(member, target, terrain, mustLeave));
  if (misplaced !== null) return misplaced;
  return workload.constraints.affinityGroup && !isWithGroup(workload, target, ledger.company, mustLeave) ? "affinity" : closed;
}

/** Why a node may take nothing at all. */
export function whyClosed({ id, load, state }: NodeView, { suspects }: Terrain): SkipReason | null {
  if (load === null && !isAway(state)) return "target-unknown";
  if (state.executorSilent) return "executor-silent";
  if (state.maintenance !== null) return "target-maintenance";
  if (state.cordoned) return "target-cordoned";
  if (suspects.has(id)) return "target-suspect";
  return state.power ? "target-asleep" : null;
}

function whyNoRoom(workload: WorkloadState, need: Need, target: NodeView, terrain: Terrain, mustLeave: boolean): SkipReason | null {
  const { ledger, config } = terrain;
  const { state } = target;
  const load = target.load!;
  const whole = mustLeave || workload.constraints.group ? groupNeed(workload, need, ledger) : need;
  const account = ledger.accounts.get(target.id)!;
  if (load.cpuCores.high + account.arrivingCpuCores + whole.cpuCores > state.cpuCapacityCores * cpuCeiling(config))
    return "target-cpu-full";
  const memoryBytes = load.memoryBytes.high + account.arrivingMemoryBytes + whole.memoryBytes;
  if (memoryBytes > state.memoryCapacityBytes * memoryCeiling(config)) return "target-memory-full";
  const imageBytes = account.arrivingImageBytes + whole.imageBytes;
  return memoryBytes + imageBytes > memoryToBeHad(state) ? "target-memory-full" : null;
}

/** What stands between one workload, for itself, and a node, whatever the room there. */
export function whyUnfit(
  workload: WorkloadState,
  target: NodeView,
  { fleet, ledger, config, now }: Terrain,
  mustLeave: boolean,
): SkipReason | null {
  const misplaced = whyNotOn(workload, target, fleet, ledger.company);
  if (misplaced !== null) return misplaced;
  return refusalBy(target.id, workload, config, now, mustLeave) === null ? null : "target-refused";
}

/** What the images of all that arrive may fill up, as the executors' preflight has it: not only what the headroom leaves. */
export function memoryToBeHad({ memoryCapacityBytes, memoryWithheldBytes = 0 }: NodeState): number {
  return memoryCapacityBytes - memoryWithheldBytes;
}

/** The need of all of its affinity group that is still with it; its own where it has none. Only what moves at once has images at once. */
export function groupNeed(workload: WorkloadState, need: Need, { company }: Ledger): Need {
  const { affinityGroup, group } = workload.constraints;
  if (!affinityGroup) return need;
  let { cpuCores, memoryBytes, imageBytes } = need;
  for (const other of company.together.get(affinityGroup) ?? []) {
    if (other.id === workload.id || other.node !== workload.node || company.headedFor.has(other.id)) continue;
    // One of unknown use that only wants to be near, and does not move as one with it, will not follow.
    cpuCores += needOf(other)?.cpuCores ?? 0;
    memoryBytes += needOf(other)?.memoryBytes ?? 0;
    if (group && group === other.constraints.group) imageBytes += needOf(other)?.imageBytes ?? 0;
  }
  return { cpuCores, memoryBytes, imageBytes };
}

/** A target filled beyond the detect bound would be the next overloaded node. */
export function cpuCeiling(config: PolicyConfig): number {
  return config.overload.enabled ? Math.min(config.headroom.cpuRatio, config.overload.cpuDetectRatio) : config.headroom.cpuRatio;
}

export function memoryCeiling(config: PolicyConfig): number {
  return config.overload.enabled ? Math.min(config.headroom.memoryRatio, config.overload.memoryDetectRatio) : config.headroom.memoryRatio;
}
