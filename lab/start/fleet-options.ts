import { DEFAULT_HEALTH_CONFIG } from "../../policies/health/config.js";
import type { NodeSize } from "../lab.js";

export const STORY_NODES: readonly NodeSize[] = ["node1", "node2", "node3"].map((name) => ({
  name,
  cpuCores: 1,
  memoryBytes: 3 * 2 ** 30,
}));

/** Seconds instead of minutes, so that a visitor sees the fleet act; everything else is as on a real one. */
export const STORY_POLICIES = {
  overload: { cpuDetectRatio: 0.58, cpuFixRatio: 0.5, holdSeconds: 6 },
  cooldownSeconds: 60,
  concurrency: { perNode: 1, fleet: 2 },
  // The nodes share one disk with whatever else this machine does: that they all wait for it says nothing about any of them.
  health: { cordonOn: DEFAULT_HEALTH_CONFIG.cordonOn.filter((kind) => kind !== "pressure-stall") },
};
