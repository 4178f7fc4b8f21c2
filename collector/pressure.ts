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

/** One PSI file. `full` is missing for cpu before Linux 5.13. */
export function parsePressure(text: string): Pressure {
  const average = (kind: string) => {
    const match = new RegExp(`^${kind} avg10=(\\S+)`, "m").exec(text);
    return match === null ? null : parseCount(match[1]) / 100;
  };
  const someRatio = average("some");
  if (someRatio === null) throw new Error("no line `some`");
  return { someRatio, fullRatio: average("full") };
}

/**
 * A node that is the machine has /proc/pressure. A confined node has its own files where a cgroup v2 hierarchy holds it, else
 * nothing: the machine's figure would tell of its neighbours. A kernel without PSI is no failure.
 */
export async function readPressures(probe: Probe, confined: boolean, nodeCgroupV2: string | null): Promise<Pressures> {
  const none: Pressures = { cpu: NO_PRESSURE, memory: NO_PRESSURE, io: NO_PRESSURE };
  // Only below the true root does a cgroup v2 folder have cgroup.events.
  const own = nodeCgroupV2 !== null && (await probe.exists(`${nodeCgroupV2}/cgroup.events`));
  if (confined && !own) return none;
  const pathOf = (resource: string) => (confined ? `${nodeCgroupV2}/${resource}.pressure` : `/proc/pressure/${resource}`);
  const read = async (resource: string) => (await probe.readIfPresent("pressure", pathOf(resource), parsePressure)) ?? NO_PRESSURE;
  return { cpu: await read("cpu"), memory: await read("memory"), io: await read("io") };
}
