import type { CgroupMounts } from "../cgroup-mounts.js";
import { nodePlaceOf } from "../cgroup-mounts.js";
import { parseField } from "../parse-number.js";
import type { Probe } from "../probe.js";
import { found, type Look } from "./look.js";

/** How often the engine has said that a container ran out of memory, by container, since the collector began. */
export interface OomCounts {
  /** Containers with a memory limit of their own: that they reach it is their own affair. */
  readonly limited: number;
  readonly unlimited: number;
}

interface Before extends OomCounts {
  readonly total: number | null;
}

/**
 * Processes that the kernel killed because the node itself had no memory left. It counts all kills in one figure, those within a
 * container's own limit included; a look in which such a container ran out therefore proves nothing, and what a look has counted
 * stands only after the next, when the engine's word on it has come too.
 */
export function makeOomKills(): (probe: Probe, isConfined: boolean, mounts: CgroupMounts, counts: OomCounts) => Promise<Look> {
  let before: Before | null = null;
  let pending = 0;
  return async (probe, isConfined, mounts, counts) => {
    const total = await readTotal(probe, isConfined, mounts);
    const last = before;
    before = { ...counts, total };
    if (last === null) return found([]);
    const isDoubtful = counts.limited > last.limited;
    const known = counts.unlimited - last.unlimited;
    const confirmed = isDoubtful ? 0 : pending;
    pending = isDoubtful || known > 0 || total === null || last.total === null ? 0 : Math.max(0, total - last.total);
    const kills = known + confirmed;
    return found(kills > 0 ? [`${kills} time${kills === 1 ? "" : "s"} a process was killed because the node had no memory left`] : []);
  };
}

/** Null where nothing counts the kills of this node alone: a node confined by cgroup v1, whose folders forget with their processes. */
async function readTotal(probe: Probe, isConfined: boolean, mounts: CgroupMounts): Promise<number | null> {
  const place = nodePlaceOf(mounts, "memory");
  if (!isConfined) return probe.readIfPresent("health", "/proc/vmstat", (text) => parseField(text, "oom_kill"));
  if (place === null || place.version === 1) return null;
  return probe.readIfPresent("health", `${place.directory}/memory.events`, (text) => parseField(text, "oom_kill"));
}
