import type { CgroupFormat } from "./cgroup-format.js";
import type { DeviceBytes } from "./disk.js";
import { parseCount, parseField } from "./parse-number.js";

const NANOSECONDS_PER_SECOND = 1e9;

/** "No limit" is the largest page-aligned long; nothing real comes near. */
const UNLIMITED_BYTES = 2 ** 60;

/** The files of cgroup v1 (Documentation/admin-guide/cgroup-v1). */
export const cgroupV1: CgroupFormat = {
  cpuUsedSeconds: (probe, source, directory) =>
    probe.read(source, `${directory}/cpuacct.usage`, (text) => parseCount(text) / NANOSECONDS_PER_SECOND),

  async cpuLimitCores(probe, source, directory) {
    // A root cgroup of a v1 kernel has no quota file: no limit.
    const quota = await probe.readIfPresent(source, `${directory}/cpu.cfs_quota_us`, (text) => Number.parseInt(text, 10));
    if (quota === null || !(quota > 0)) return null;
    const period = await probe.read(source, `${directory}/cpu.cfs_period_us`, parseCount);
    return period === null || period === 0 ? null : quota / period;
  },

  async memory(probe, source, directory) {
    const [usage, inactiveFile, limit] = await Promise.all([
      probe.read(source, `${directory}/memory.usage_in_bytes`, parseCount),
      probe.read(source, `${directory}/memory.stat`, (text) => parseField(text, "total_inactive_file")),
      probe.read(source, `${directory}/memory.limit_in_bytes`, parseCount),
    ]);
    return {
      usedBytes: usage === null || inactiveFile === null ? null : Math.max(0, usage - inactiveFile),
      limitBytes: limit === null || limit >= UNLIMITED_BYTES ? null : limit,
    };
  },

  pids: (probe, source, directory) => probe.read(source, `${directory}/pids.current`, parseCount),

  async isFrozen(probe, source, directory) {
    return (await probe.readIfPresent(source, `${directory}/freezer.state`, (text) => text.trim() === "FROZEN")) ?? false;
  },

  disk: (probe, source, directory) => probe.read(source, `${directory}/blkio.throttle.io_service_bytes_recursive`, parseServiceBytes),
};

/** Lines of `major:minor Read|Write|… bytes`, closed by `Total bytes`. */
export function parseServiceBytes(text: string): DeviceBytes[] {
  const devices = new Map<string, { readBytes: number; writeBytes: number }>();
  for (const line of text.trim().split("\n")) {
    const [device, operation, bytes] = line.split(" ");
    if (device === undefined || device === "Total" || (operation !== "Read" && operation !== "Write")) continue;
    const entry = devices.get(device) ?? { readBytes: 0, writeBytes: 0 };
    entry[operation === "Read" ? "readBytes" : "writeBytes"] = parseCount(bytes);
    devices.set(device, entry);
  }
  return [...devices].map(([device, entry]) => ({ device, ...entry }));
}
