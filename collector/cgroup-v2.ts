import type { CgroupFormat } from "./cgroup-format.js";
import type { DeviceBytes } from "./disk.js";
import { parseCount, parseField, parseLimit } from "./parse-number.js";

const MICROSECONDS_PER_SECOND = 1e6;

/** The files of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst). The true root has no limits, so no limit files. */
export const cgroupV2: CgroupFormat = {
  cpuUsedSeconds: (probe, source, directory) =>
    probe.read(source, `${directory}/cpu.stat`, (text) => parseField(text, "usage_usec") / MICROSECONDS_PER_SECOND),

  cpuLimitCores: (probe, source, directory) => probe.readIfPresent(source, `${directory}/cpu.max`, parseCpuMax),

  async memory(probe, source, directory) {
    const [current, inactiveFile, limit] = await Promise.all([
      probe.read(source, `${directory}/memory.current`, parseCount),
      probe.read(source, `${directory}/memory.stat`, (text) => parseField(text, "inactive_file")),
      probe.readIfPresent(source, `${directory}/memory.max`, parseLimit),
    ]);
    return { usedBytes: current === null || inactiveFile === null ? null : Math.max(0, current - inactiveFile), limitBytes: limit };
  },

  pids: (probe, source, directory) => probe.read(source, `${directory}/pids.current`, parseCount),

  async isFrozen(probe, source, directory) {
    return (await probe.readIfPresent(source, `${directory}/cgroup.events`, (text) => parseField(text, "frozen") === 1)) ?? false;
  },

  disk: (probe, source, directory) => probe.read(source, `${directory}/io.stat`, parseIoStat),
};

/** `quota period` in microseconds, or `max period`. */
export function parseCpuMax(text: string): number | null {
  const [quota, period] = text.trim().split(" ");
  if (quota === "max") return null;
  return parseCount(quota) / parseCount(period);
}

/** Lines of `major:minor rbytes=… wbytes=… …`. */
export function parseIoStat(text: string): DeviceBytes[] {
  return text
    .split("\n")
    .filter((line) => line.includes("rbytes="))
    .map((line) => {
      const [device, ...pairs] = line.split(" ");
      const values = new Map(pairs.map((pair) => pair.split("=") as [string, string]));
      return { device: device!, readBytes: parseCount(values.get("rbytes")), writeBytes: parseCount(values.get("wbytes")) };
    });
}
