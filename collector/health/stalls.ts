import type { CgroupMounts } from "../cgroup-mounts.js";
import { parseAverages, pressurePath } from "../pressure.js";
import type { Probe } from "../probe.js";
import { couldNotLook, found, type Look } from "./look.js";

/**
 * The share of a whole minute in which every task that could run stood still for want of it. Memory: the kernel's own out-of-memory
 * daemons act at such levels. Disk: it answers hardly at all. A want of CPU is overload, and not a sign of failing.
 */
const MOST_STALLED = { memory: 0.2, io: 0.8 } as const;

export async function lookAtStalls(probe: Probe, isConfined: boolean, mounts: CgroupMounts): Promise<Look> {
  const signs: string[] = [];
  let known = 0;
  for (const [resource, most] of Object.entries(MOST_STALLED)) {
    const path = await pressurePath(probe, isConfined, mounts.v2?.mountPoint ?? null, resource);
    const full =
      path === null ? null : await probe.readIfPresent("health", path, (text) => parseAverages(text, "full")?.minuteRatio ?? null);
    if (full === null) continue;
    known++;
    if (full >= most)
      signs.push(`all tasks waited for ${resource === "io" ? "the disk" : resource} in ${Math.round(full * 100)} % of a minute`);
  }
  return known === 0 ? couldNotLook("this kernel keeps no pressure figures for this node") : found(signs);
}
