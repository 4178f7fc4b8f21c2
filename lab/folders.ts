/** Where labs keep their state: one folder for each lab. Must be on a real file system (ext4, xfs), not on an overlay. */
export function labsFolder(): string {
  return process.env.EVENKEEL_LAB_STATE ?? "/var/lib/evenkeel-lab";
}

/** Where what takes long to build is kept between runs. */
export function cacheFolder(): string {
  return process.env.EVENKEEL_CACHE ?? "/var/cache/evenkeel";
}
