import type { CompleteConfig } from "../config.js";
import type { Fleet, NodeView } from "../fleet.js";
import { presentUseOf, type Use } from "../need.js";
import { compareIds } from "../order.js";
import { isCompatible, isPinnedTo } from "../placement/rules.js";
import { cpuCeiling, memoryCeiling } from "../stages/feasible.js";
import type { WorkloadState } from "../types.js";

/** A fleet as a plan would leave it. */
export interface Standing {
  readonly fleet: Fleet;
  readonly config: CompleteConfig;
  /** Nodes that run, and may hold more. */
  readonly awake: readonly NodeView[];
  /** Where a plan takes workloads, by id; the others stay. */
  readonly placed: ReadonlyMap<string, string>;
  /** By how much the load may have grown by then. */
  readonly growth: number;
}

const NOTHING: Use = { cpuCores: 0, memoryBytes: 0 };

interface Host {
  readonly node: NodeView;
  readonly guests: WorkloadState[];
  cpuCores: number;
  memoryBytes: number;
}

interface Hosts {
  readonly byNode: ReadonlyMap<string, Host>;
  /** The emptiest first: nearly always the first that is asked has room, and a large fleet is looked through in no time. */
  readonly byRoom: readonly Host[];
}

/** What a host takes over from the node that is lost. */
interface Taken {
  cpuCores: number;
  memoryBytes: number;
  readonly groups: Set<string>;
}

/**
 * A node of which the others that are awake could not take over all that runs there; null = the loss of any one is borne (N+1). Workloads
 * of unknown use and those that may run nowhere else are left out: no node kept awake would help them.
 */
export function findUnbearableLoss(standing: Standing): string | null {
  const { marginRatio } = standing.config.consolidate;
  const given = openHosts(standing);
  let grown: Hosts | null = null;
  for (const id of given.byNode.keys()) {
    if (isBorne(id, given, standing)) continue;
    if (standing.growth >= marginRatio) return id;
    // First fit may find no place for loads for which, grown, it finds one. Where those fit these do, and what sleeps because of that is not woken.
    const more = { ...standing, growth: marginRatio };
    grown ??= openHosts(more);
    if (!isBorne(id, grown, more)) return id;
  }
  return null;
}

/** Whether all that a node runs finds a place, each where there is room first. */
function isBorne(id: string, { byNode, byRoom }: Hosts, { fleet, growth }: Standing): boolean {
  const lost = byNode.get(id)!;
  const taken = new Map<Host, Taken>();
  const guests = [...lost.guests].sort((a, b) => shareOf(b, lost.node) - shareOf(a, lost.node) || compareIds(a.id, b.id));
  for (const guest of guests) {
    const need = grown(presentUseOf(guest), growth);
    if (need === null || !mayRunElsewhere(guest, lost.node, fleet)) continue;
    const host = byRoom.find((each) => each !== lost && takes(each, taken.get(each), guest, need, fleet));
    if (host === undefined) return false;
    const sum = taken.get(host) ?? { cpuCores: 0, memoryBytes: 0, groups: new Set<string>() };
    sum.cpuCores += need.cpuCores;
    sum.memoryBytes += need.memoryBytes;
    if (guest.constraints.antiAffinityGroup !== null) sum.groups.add(guest.constraints.antiAffinityGroup);
    taken.set(host, sum);
  }
  return true;
}

/** Of a node's scarcer resource. The largest find a place first: what is left over is easier to fill with small ones. */
export function shareOf(workload: WorkloadState, { state }: NodeView): number {
  const { cpuCores, memoryBytes } = presentUseOf(workload) ?? NOTHING;
  return Math.max(cpuCores / state.cpuCapacityCores, memoryBytes / state.memoryCapacityBytes);
}

/** The room of each node awake, with the guests that it has then. */
function openHosts({ fleet, config, awake, placed, growth }: Standing): Hosts {
  const hosts = new Map<string, Host>();
  for (const node of awake) {
    const { cpuCapacityCores, memoryCapacityBytes } = node.state;
    const own = node.workloads.map(presentUseOf);
    const other = (used: number, needs: readonly number[]) => Math.max(0, used - needs.reduce((sum, need) => sum + need, 0));
    hosts.set(node.id, {
      node,
      guests: [],
      cpuCores:
        cpuCapacityCores * cpuCeiling(config) -
        other(
          node.load!.cpuCores.high,
          own.map((need) => need?.cpuCores ?? 0),
        ),
      memoryBytes:
        memoryCapacityBytes * memoryCeiling(config) -
        other(
          node.load!.memoryBytes.high,
          own.map((need) => need?.memoryBytes ?? 0),
        ),
    });
  }
  for (const workload of fleet.workloadById.values()) {
    const host = hosts.get(placed.get(workload.id) ?? workload.node);
    const need = grown(presentUseOf(workload), growth);
    if (host === undefined) continue;
    host.guests.push(workload);
    host.cpuCores -= need?.cpuCores ?? 0;
    host.memoryBytes -= need?.memoryBytes ?? 0;
  }
  return { byNode: hosts, byRoom: [...hosts.values()].sort((a, b) => b.cpuCores - a.cpuCores || compareIds(a.node.id, b.node.id)) };
}

function grown(need: Use | null, growth: number): Use | null {
  return need === null ? null : { cpuCores: need.cpuCores * (1 + growth), memoryBytes: need.memoryBytes };
}

function takes(host: Host, taken: Taken | undefined, guest: WorkloadState, need: Use, fleet: Fleet): boolean {
  const group = guest.constraints.antiAffinityGroup;
  if (!isPinnedTo(guest, host.node) || !isCompatible(guest, host.node, fleet)) return false;
  if (group !== null && (taken?.groups.has(group) || host.guests.some(({ constraints }) => constraints.antiAffinityGroup === group)))
    return false;
  return host.cpuCores - (taken?.cpuCores ?? 0) >= need.cpuCores && host.memoryBytes - (taken?.memoryBytes ?? 0) >= need.memoryBytes;
}

/** Whether any node of the fleet, asleep or not, may hold it by its labels. */
function mayRunElsewhere(workload: WorkloadState, home: NodeView, fleet: Fleet): boolean {
  return fleet.nodes.some((node) => node !== home && isPinnedTo(workload, node) && isCompatible(workload, node, fleet));
}
