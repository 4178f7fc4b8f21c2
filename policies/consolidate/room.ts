import type { CompleteConfig } from "../config.js";
import type { NodeView } from "../fleet.js";
import { forecastLoad } from "../forecast/load-forecast.js";
import { cpuCeiling } from "../stages/feasible.js";
import type { WorkloadState } from "../types.js";
import { type Draw, drawOf } from "./watts.js";

/** A workload with what is expected of it, in cores. */
export interface Item {
  readonly workload: WorkloadState;
  readonly now: number;
  readonly mean: number;
  readonly variance: number;
}

/** A node as the plan in the making leaves it. */
export interface Room {
  readonly node: NodeView;
  readonly draw: Draw;
  /** Less what is used there by no workload. */
  readonly capacityCores: number;
  /** By workload. */
  readonly items: Map<string, Item>;
  now: number;
  mean: number;
  variance: number;
}

export function openRoom(node: NodeView, config: CompleteConfig): Room {
  const { state, load, workloads } = node;
  const explained = workloads.reduce((sum, { cpuUsedCores }) => sum + (cpuUsedCores ?? 0), 0);
  const capacityCores = state.cpuCapacityCores - Math.max(0, load!.cpuCores.high - explained);
  const room: Room = { node, draw: drawOf(state), capacityCores, items: new Map(), now: 0, mean: 0, variance: 0 };
  for (const workload of workloads) put(room, expect(workload, state.cpuCapacityCores, config));
  return room;
}

/** One whose use is not known is taken to use all that it may. */
function expect(workload: WorkloadState, capacityCores: number, { consolidate }: CompleteConfig): Item {
  const { cpuUsedCores, cpuLimitCores, cpuPast = null } = workload;
  const most = cpuLimitCores ?? capacityCores;
  if (cpuUsedCores === null) return { workload, now: most, mean: most, variance: 0 };
  const { mean, deviation } = forecastLoad(cpuPast, cpuUsedCores, most, consolidate.forecast);
  return { workload, now: cpuUsedCores, mean, variance: deviation ** 2 };
}

export function shift(item: Item, from: Room, to: Room): void {
  from.items.delete(item.workload.id);
  change(from, item, -1);
  put(to, item);
}

function put(room: Room, item: Item): void {
  room.items.set(item.workload.id, item);
  change(room, item, 1);
}

function change(room: Room, item: Item, sign: 1 | -1): void {
  room.now += sign * item.now;
  room.mean += sign * item.mean;
  room.variance += sign * item.variance;
}

/**
 * Share of a node's CPU that would be left with one more workload; negative = it does not fit. What is used now must stay below the headroom,
 * what is expected, with its deviations, below the fill bound.
 */
export function slackWith(room: Room, item: Item, bounds: FillBounds): number {
  const deviation = Math.sqrt(Math.max(0, room.variance + item.variance));
  const expected = (room.mean + item.mean + bounds.deviations * deviation) / room.capacityCores;
  return Math.min(bounds.nowRatio - (room.now + item.now) / room.capacityCores, bounds.expectedRatio - expected);
}

export interface FillBounds {
  readonly nowRatio: number;
  readonly expectedRatio: number;
  readonly deviations: number;
}

/** A node filled beyond the bound of overload would be relieved again. */
export function fillBounds(config: CompleteConfig): FillBounds {
  const { overload, consolidate } = config;
  const expectedRatio = overload.enabled ? Math.min(consolidate.fillRatio, overload.cpuDetectRatio) : consolidate.fillRatio;
  return { nowRatio: Math.min(consolidate.fillRatio, cpuCeiling(config)), expectedRatio, deviations: consolidate.fillDeviations };
}
