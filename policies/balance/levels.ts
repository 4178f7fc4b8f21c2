import { isSettling, type JudgedContext, type Resource } from "../context.js";
import { expectAt, tellingPoints } from "../estimate/expect.js";
import { percentileOf } from "../estimate/percentile.js";
import { pointsSince, readingsOf } from "../estimate/series.js";
import { meanSince } from "../estimate/window-mean.js";
import type { Fleet, NodeView } from "../fleet.js";
import { needOfNewcomer, type Use } from "../need.js";
import { capacityOf, meanRatioOf } from "../stages/score.js";
import type { NodePoint } from "../types.js";
import type { BalanceConfig } from "./config.js";

/** How full the nodes are, over the window and as the plan so far leaves them. Ratios of capacity. */
export interface Levels {
  readonly nodes: ReadonlyMap<NodeView, Level>;
  /** Those in service that take no part yet: they settle, or have not been watched for long enough. By their readings of this moment. */
  readonly later: ReadonlyMap<NodeView, Level>;
  readonly mean: Readonly<Record<Resource, number>>;
  readonly weight: Readonly<Record<Resource, number>>;
}

/** `low` is believed of a source, `high` of a target, `middle` of the fleet as a whole. */
export interface Level {
  readonly low: Record<Resource, number>;
  readonly middle: Record<Resource, number>;
  readonly high: Record<Resource, number>;
}

export const RESOURCES = ["cpu", "memory"] as const;
const BANDS = ["low", "middle", "high"] as const;
const NOTHING: Use = { cpuCores: 0, memoryBytes: 0 };

/** The nodes that take part: known, in service, and with readings over at least half of the window since they last changed. */
export function measureLevels(context: JudgedContext): Levels {
  const { fleet, config, ledger, now } = context;
  const nodes = new Map<NodeView, Level>();
  const later = new Map<NodeView, Level>();
  const held = handedOver(fleet);
  for (const node of fleet.nodes) {
    if (node.load === null || node.state.maintenance !== null) continue;
    const account = ledger.accounts.get(node.id)!;
    // How full it will be is not known while somebody of unknown size comes: neither source nor target.
    if (!Number.isFinite(account.arrivingCpuCores + account.arrivingMemoryBytes)) continue;
    const isChanging = held.has(node.id) || isSettling(node, config, now);
    const level = isChanging ? null : measureLevel(node, config.balance, now);
    if (level === null) later.set(node, readNow(node));
    else nodes.set(node, level);
  }
  for (const [node, level] of [...nodes, ...later]) {
    const account = ledger.accounts.get(node.id)!;
    enter("cpu", account.arrivingCpuCores - account.leavingCpuCores, node, level);
    enter("memory", account.arrivingMemoryBytes - account.leavingMemoryBytes, node, level);
    // Its room is kept, but it is no load: nobody is to leave because of it.
    const { cpuCores, memoryBytes } = held.get(node.id) ?? NOTHING;
    enter("cpu", -cpuCores, node, level, ["low", "middle"]);
    enter("memory", -memoryBytes, node, level, ["low", "middle"]);
  }
  return {
    nodes,
    later,
    mean: { cpu: meanRatioOf("cpu", fleet), memory: meanRatioOf("memory", fleet) },
    weight: { cpu: config.balance.cpuWeight, memory: config.balance.memoryWeight },
  };
}

export function levelOf(node: NodeView, { nodes, later }: Levels): Level {
  return (nodes.get(node) ?? later.get(node))!;
}

/** To try moves out on. */
export function copyOf(levels: Levels): Levels {
  const copy = (nodes: ReadonlyMap<NodeView, Level>) =>
    new Map(
      [...nodes].map(([node, { low, middle, high }]) => [node, { low: { ...low }, middle: { ...middle }, high: { ...high } }] as const),
    );
  return { ...levels, nodes: copy(levels.nodes), later: copy(levels.later) };
}

/** What is under way, and what the plan has entered already. */
function enter(resource: Resource, amount: number, node: NodeView, level: Level, bands: readonly (keyof Level)[] = BANDS): void {
  const ratio = amount / capacityOf(resource, node);
  for (const band of bands) level[band][resource] += ratio;
}

/** What the ledger holds on each old node for moves that are open though the workload runs on its new one. */
function handedOver({ migrations, workloadById }: Fleet): Map<string, Use> {
  const held = new Map<string, Use>();
  for (const { workload: id, from, to } of migrations) {
    const workload = workloadById.get(id);
    if (workload?.node !== to) continue;
    const before = held.get(from) ?? NOTHING;
    const need = needOfNewcomer(workload) ?? NOTHING;
    held.set(from, { cpuCores: before.cpuCores + need.cpuCores, memoryBytes: before.memoryBytes + need.memoryBytes });
  }
  return held;
}

function readNow({ load, state }: NodeView): Level {
  const ratios = (band: "low" | "high") => ({
    cpu: load!.cpuCores[band] / state.cpuCapacityCores,
    memory: load!.memoryBytes[band] / state.memoryCapacityBytes,
  });
  return { low: ratios("low"), middle: ratios("low"), high: ratios("high") };
}

function measureLevel(node: NodeView, config: BalanceConfig, now: number): Level | null {
  const since = Math.max(now - config.windowSeconds, node.changedAt ?? 0);
  const level: Level = { low: { cpu: 0, memory: 0 }, middle: { cpu: 0, memory: 0 }, high: { cpu: 0, memory: 0 } };
  const window = pointsSince(node.state.history, since);
  for (const resource of RESOURCES) {
    const ratio = resource === "cpu" ? "cpuRatio" : "memoryRatio";
    const mean = meanSince(window, ratio, since);
    if (mean === null || mean.spanSeconds < config.windowSeconds / 2) return null;
    const { low, high } = resource === "cpu" ? node.load!.cpuCores : node.load!.memoryBytes;
    level.low[resource] = Math.min(mean.mean, low / capacityOf(resource, node));
    level.middle[resource] = mean.mean;
    level.high[resource] = Math.max(mean.mean, high / capacityOf(resource, node), peakOf(node, window, ratio, config, now));
  }
  return level;
}

/** How full a node is at its busy times, or will be: what a newcomer will have to live with. */
function peakOf(
  { state, changedAt }: NodeView,
  window: readonly NodePoint[],
  ratio: "cpuRatio" | "memoryRatio",
  config: BalanceConfig,
  now: number,
): number {
  const values = readingsOf(window, ratio).map(({ value }) => value);
  const peak = percentileOf(values, config.peakRatio) ?? 0;
  if (config.forecastSeconds === 0) return peak;
  // What it used before its workloads changed is no guide to what it will use.
  const at = now + config.forecastSeconds;
  const telling = tellingPoints([...(state.pastDays ?? []), ...state.history], at, config.windowSeconds);
  const settled = readingsOf(telling, ratio, changedAt ?? Number.NEGATIVE_INFINITY);
  const expected = expectAt(settled, at, config.windowSeconds);
  return expected === null ? peak : Math.max(peak, expected.value + expected.error);
}

/** The weighted root mean square distance of the nodes from the fleet's mean ratio. */
export function unevenness({ nodes, mean, weight }: Levels): number {
  let sum = 0;
  for (const { middle } of nodes.values())
    for (const resource of RESOURCES) sum += weight[resource] * (middle[resource] - mean[resource]) ** 2;
  const weights = nodes.size * (weight.cpu + weight.memory);
  return weights > 0 ? Math.sqrt(sum / weights) : 0;
}

/** The same of one node. */
export function distanceOf({ middle }: Level, { mean, weight }: Levels): number {
  const sum = RESOURCES.reduce((total, resource) => total + weight[resource] * (middle[resource] - mean[resource]) ** 2, 0);
  return weight.cpu + weight.memory > 0 ? Math.sqrt(sum / (weight.cpu + weight.memory)) : 0;
}
