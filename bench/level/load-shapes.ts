import type { NodeSize } from "../../lab/lab.js";
import { STORY_POLICIES } from "../../lab/start/fleet-options.js";
import { type LabWorkload, WORKLOADS } from "../../lab/workloads/workload-table.js";

/** A workload of the run: where it begins, and the share of a core it asks for at each time. */
export interface LoadedWorkload {
  readonly workload: LabWorkload;
  readonly node: string;
  readonly percentAt: (seconds: number) => number;
}

const FIRST_ADDRESS = 160;
/** A day of the run takes this long. */
export const DAY_SECONDS = 120;
const BURST_SECONDS = 30;
const PAUSE_SECONDS = 30;

/** Four of one core: two cores bear what they ask for together (1.2 at most), so that the load is really burnt. */
export const LEVEL_NODES: readonly NodeSize[] = ["node1", "node2", "node3", "node4"].map((name) => ({
  name,
  cpuCores: 1,
  memoryBytes: 2 * 2 ** 30,
}));

/** The story's times; the bounds are where nodes of this load stand when no two busy workloads share one. */
export const LEVEL_POLICIES = {
  ...STORY_POLICIES,
  overload: { ...STORY_POLICIES.overload, cpuDetectRatio: 0.42, cpuFixRatio: 0.36 },
};

/**
 * Placed as people place them: those that are busy at the same time stand together. One node has the day's peak, one has bursts that begin
 * at no regular time, one is quiet and has its small peak at night, one has something small and steady. Two on a node are too much
 * at their peaks; one to a node, with the small ones spread as they come, is not.
 */
export function loadedWorkloads(): LoadedWorkload[] {
  const day = diurnal(4, 26, 0);
  const night = diurnal(3, 8, DAY_SECONDS / 2);
  const bursts = bursty(3, 24, 7);
  const steady = () => 6;
  return [
    ["node1", day],
    ["node1", day],
    ["node2", bursts],
    ["node2", bursts],
    ["node3", night],
    ["node3", night],
    ["node4", steady],
  ].map(([node, percentAt], index) => ({
    workload: makeBurner(index),
    node: node as string,
    percentAt: percentAt as LoadedWorkload["percentAt"],
  }));
}

/** Between the two shares of a core, once a day. */
export function diurnal(leastPercent: number, mostPercent: number, shiftSeconds: number): (seconds: number) => number {
  return (seconds) => {
    const height = (1 - Math.cos((2 * Math.PI * (seconds + shiftSeconds)) / DAY_SECONDS)) / 2;
    return Math.round(leastPercent + (mostPercent - leastPercent) * height);
  };
}

/** Idle but for bursts, each somewhere in its own stretch of time; the same for the same seed. */
export function bursty(idlePercent: number, burstPercent: number, seed: number): (seconds: number) => number {
  const stretch = BURST_SECONDS + PAUSE_SECONDS;
  return (seconds) => {
    const index = Math.floor(seconds / stretch);
    const begin = index * stretch + (((index + 1) * seed * 7919) % PAUSE_SECONDS);
    return seconds >= begin && seconds < begin + BURST_SECONDS ? burstPercent : idlePercent;
  };
}

function makeBurner(index: number): LabWorkload {
  const base = WORKLOADS.find(({ protocol }) => protocol === "burner")!;
  const host = FIRST_ADDRESS + index;
  return {
    ...base,
    name: `load-${index + 1}`,
    character: "asks for CPU by the clock",
    address: `10.77.0.${host}`,
    macAddress: `02:45:4b:00:00:${host.toString(16).padStart(2, "0")}`,
  };
}
