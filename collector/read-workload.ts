import { type CgroupFormat, CONTROLLERS } from "./cgroup-format.js";
import { type CgroupMounts, type CgroupPlace, parseMemberships, placeOf } from "./cgroup-mounts.js";
import type { Container } from "./containers.js";
import { type Counter, makeCounter } from "./counter.js";
import type { Probe } from "./probe.js";
import { FORMATS } from "./read-host.js";

export interface WorkloadReading {
  readonly container: Container;
  readonly isFrozen: boolean;
  readonly cpuUsedSeconds: Counter | null;
  readonly cpuLimitCores: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryLimitBytes: number | null;
  readonly pids: number | null;
}

/** Reads one container's cgroup, found through its first process. */
export async function readWorkload(probe: Probe, mounts: CgroupMounts, container: Container): Promise<WorkloadReading> {
  const unknown = nothingKnownOf(container);
  // Between two attempts of a restart policy there is no process, so there is nothing to read: unknown, but no failure.
  if (container.state === "restarting") return unknown;
  const name = container.name;
  const memberships = await probe.read("workload", `/proc/${container.pid}/cgroup`, parseMemberships);
  if (memberships === null) return unknown;
  // The kernel may have given the number of a process that is gone to another: the folder must bear the container's id.
  if (![...memberships.values()].some((path) => path.includes(container.id))) {
    probe.fail("workload", `${name}: process ${container.pid} is not in the container's cgroup`);
    return unknown;
  }
  const read = async <T>(
    value: keyof CgroupFormat,
    readFrom: (format: CgroupFormat, place: CgroupPlace) => Promise<T>,
  ): Promise<T | null> => {
    const place = placeOf(mounts, memberships, CONTROLLERS[value]);
    if (place?.directory.includes(container.id)) return readFrom(FORMATS[place.version], place);
    // A node may have been given no freezer; all else must be there.
    if (value !== "isFrozen") probe.fail("workload", `${name}: its ${CONTROLLERS[value]} cgroup is not visible here`);
    return null;
  };
  const [cpuUsedSeconds, cpuLimitCores, memory, pids, isFrozen] = await Promise.all([
    read("cpuUsedSeconds", (format, { directory }) => format.cpuUsedSeconds(probe, "workload", directory)),
    read("cpuLimitCores", (format, { directory }) => format.cpuLimitCores(probe, "workload", directory)),
    read("memory", (format, { directory }) => format.memory(probe, "workload", directory)),
    read("pids", (format, { directory }) => format.pids(probe, "workload", directory)),
    read("isFrozen", (format, { directory }) => format.isFrozen(probe, "workload", directory)),
  ]);
  return {
    container,
    isFrozen: isFrozen ?? false,
    cpuUsedSeconds: makeCounter(cpuUsedSeconds, "cgroup"),
    cpuLimitCores,
    memoryUsedBytes: memory?.usedBytes ?? null,
    memoryLimitBytes: memory?.limitBytes ?? null,
    pids,
  };
}

function nothingKnownOf(container: Container): WorkloadReading {
  return {
    container,
    isFrozen: false,
    cpuUsedSeconds: null,
    cpuLimitCores: null,
    memoryUsedBytes: null,
    memoryLimitBytes: null,
    pids: null,
  };
}
