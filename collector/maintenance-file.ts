import type { Probe } from "./probe.js";

/** What an empty file means: `touch` is enough to ask for maintenance. */
const DEFAULT_REASON = "maintenance file";

/**
 * The reason written in the file, null when there is none. A file that cannot be read leaves things as they were: an I/O error
 * must neither start a drain nor end one.
 */
export async function readMaintenanceFile(probe: Probe, path: string, previous: string | null): Promise<string | null> {
  const failuresBefore = probe.failures.length;
  const reason = await probe.readIfPresent("maintenance", path, (text) => text.trim() || DEFAULT_REASON);
  return probe.failures.length > failuresBefore ? previous : reason;
}
