import { createHash } from "node:crypto";
import { resolve } from "node:path";

const USUAL_LABS_FOLDER = "/var/lib/evenkeel-lab";

/** Where labs keep their state: one folder for each lab. Must be on a real file system (ext4, xfs), not on an overlay. */
export function labsFolder(): string {
  return resolve(process.env.EVENKEEL_LAB_STATE ?? USUAL_LABS_FOLDER);
}

/** The cgroup all labs of this folder are under; labs kept elsewhere are none of our business. */
export function labsGroup(): string {
  const folder = labsFolder();
  return folder === USUAL_LABS_FOLDER ? "evenkeel-lab" : `evenkeel-lab-${createHash("sha256").update(folder).digest("hex").slice(0, 8)}`;
}

/** Where what takes long to build is kept between runs. */
export function cacheFolder(): string {
  return process.env.EVENKEEL_CACHE ?? "/var/cache/evenkeel";
}

/** Locks and what concerns the running kernel: gone with it. */
export const RUN_FOLDER = "/run/evenkeel-lab";
