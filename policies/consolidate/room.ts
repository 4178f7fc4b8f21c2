import { forecastLoad } from "../forecast/load-forecast.js";
import type { ConsolidateConfig } from "./config.js";
import type { ConsolidateInput, PowerNode, PowerWorkload } from "./types.js";

/** A workload with its forecast. */
export interface Item {
  readonly workload: PowerWorkload;
  readonly now: number;
  readonly mean: number;
  readonly variance: number;
}

/** A node as the decision in the making leaves it. */
export interface Room {
  readonly node: PowerNode;
  readonly items: Set<Item>;
  now: number;
  mean: number;
  variance: number;
  memoryBytes: number;
}

export function openRooms(input: ConsolidateInput, config: ConsolidateConfig): Room[] {
  const rooms = new Map<string, Room>();
  for (const node of input.nodes) rooms.set(node.id, { node, items: new Set(), now: 0, mean: 0, variance: 0, memoryBytes: 0 });
  for (const workload of input.workloads) {
    const room = rooms.get(workload.node);
    if (room === undefined) continue;
    const { mean, deviation } = forecastLoad(workload.cpuHistory, workload.cpuLimit, config.forecast);
    put(room, { workload, now: workload.cpuHistory[0] ?? workload.cpuLimit, mean, variance: deviation ** 2 });
  }
  return [...rooms.values()];
}

export function put(room: Room, item: Item): void {
  room.items.add(item);
  change(room, item, 1);
}

export function take(room: Room, item: Item): void {
  room.items.delete(item);
  change(room, item, -1);
}

function change(room: Room, item: Item, sign: 1 | -1): void {
  room.now += sign * item.now;
  room.mean += sign * item.mean;
  room.variance += sign * item.variance;
  room.memoryBytes += sign * item.workload.memoryBytes;
}

/** CPU above the bound at which a node is relieved; 0 or less = none. */
export function excess(room: Room, config: ConsolidateConfig): number {
  return room.items.size === 0 ? 0 : Math.max(room.now, room.mean) - room.node.cpuCapacity * config.detectRatio;
}

/** CPU that would be left under the fill bound with one more workload; negative = it does not fit. */
export function slackWith(room: Room, item: Item, config: ConsolidateConfig): number {
  const deviation = Math.sqrt(Math.max(0, room.variance + item.variance));
  const expected = room.mean + item.mean + config.fillDeviations * deviation;
  return room.node.cpuCapacity * config.fillRatio - Math.max(room.now + item.now, expected);
}

/** The hard constraints: whatever the load, may this workload run here? */
export function mayHold(room: Room, item: Item, config: ConsolidateConfig): boolean {
  const { node } = room;
  const { constraints, memoryBytes } = item.workload;
  if (node.closed || room.memoryBytes + memoryBytes > node.memoryCapacityBytes) return false;
  const own = item.mean + config.fillDeviations * Math.sqrt(item.variance);
  if (Math.max(item.now, Math.min(own, item.workload.cpuLimit)) > node.cpuPerWorkload) return false;
  if (constraints.pinnedTo.length > 0 && !constraints.pinnedTo.includes(node.id)) return false;
  if (constraints.antiAffinityGroup === null) return true;
  for (const other of room.items) {
    if (other.workload.constraints.antiAffinityGroup === constraints.antiAffinityGroup) return false;
  }
  return true;
}

/** Known, not forbidden to move, and free of rules that reach over several nodes, which this policy cannot keep: those stay. */
export function isMovable(item: Item): boolean {
  const { mode, affinityGroup, zoneSpreadGroup } = item.workload.constraints;
  return mode !== "never" && !affinityGroup && !zoneSpreadGroup && item.workload.cpuHistory.length > 0;
}
