import { parseCount } from "./parse-number.js";
import type { Probe } from "./probe.js";

/** The share of the last ten seconds in which some, or all, tasks stood still for want of the resource. */
export interface Pressure {
  readonly someRatio: number | null;
  readonly fullRatio: number | null;
}

export interface Pressures {
  readonly cpu: Pressure;
  readonly memory: Pressure;
  readonly io: Pressure;
}

export const NO_PRESSURE: Pressure = { someRatio: null, fullRatio: null };

/** Averages of one line of a PSI file; null when the file has no such line: `full` is missing for cpu before Linux 5.13. */
export function parseAverages(text: string, kind: "some" | "full"): { readonly latestRatio: number; readonly minuteRatio: number } | null {
  const match = new RegExp(`^${kind} avg10=(\\S+) avg60=(\\S+)`, "m").exec(text);
  return match === null ? null : { latestRatio: parseCount(match[1]) / 100, minuteRatio: parseCount(match[2]) / 100 };
}

/** One PSI file. */
export function parsePressure(text: string): Pressure {
  const some = parseAverages(text, "some");
  if (some === null) throw new Error("no line `some`");
  return { someRatio: some.latestRatio, fullRatio: parseAverages(text, "full")?.latestRatio ?? null };
}

/**
 * A node that is the machine has /proc/pressure. A confined node has its own files where a cgroup v2 hierarchy holds it, else
 * nothing (null): the machine's figure would tell of its neighbours.
 */
export async function pressurePath(
  probe: Probe,
  isConfined: boolean,
  nodeCgroupV2: string | null,
  resource: string,
): Promise<string | null> {
  if (!isConfined) return `/proc/pressure/${resource}`;
  // Only below the true root does a cgroup v2 folder have cgroup.events.
  const isOwn = nodeCgroupV2 !== null && (await probe.exists(`${nodeCgroupV2}/cgroup.events`));
  return isOwn ? `${nodeCgroupV2}/${resource}.pressure` : null;
}

/** A kernel without PSI is no failure. */
export async function readPressures(probe: Probe, isConfined: boolean, nodeCgroupV2: string | null): Promise<Pressures> {
  const read = async (resource: string) => {
    const path = await pressurePath(probe, isConfined, nodeCgroupV2, resource);
    return path === null ? NO_PRESSURE : ((await probe.readIfPresent("pressure", path, parsePressure)) ?? NO_PRESSURE);
  };
  return { cpu: await read("cpu"), memory: await read("memory"), io: await read("io") };
}
