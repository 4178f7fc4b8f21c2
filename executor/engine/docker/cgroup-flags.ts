import { existsSync } from "node:fs";

/** Where version 2 is alone, its root says which controllers there are. */
const UNIFIED = "/sys/fs/cgroup/cgroup.controllers";

/**
 * runc makes and enters the container's cgroup itself. Where hosts have version 2 alone, CRIU would in addition remount it on restore without the
 * host's options (checkpoint-restore/criu#3029), so it is told to keep its hands off, on both ends.
 */
export function cgroupFlags(): readonly string[] {
  return existsSync(UNIFIED) ? ["--manage-cgroups-mode", "ignore"] : [];
}
