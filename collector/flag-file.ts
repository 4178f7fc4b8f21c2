import type { Probe } from "./probe.js";

/** What a file on the node may ask for; also the source that its failures are counted under. */
export type FlagFile = "maintenance" | "cordon";

/**
 * The reason written in the file, null when there is none; `touch` is enough. A file that cannot be read leaves things as they were: an I/O
 * error must neither begin a drain or a cordon nor end one.
 */
export async function readFlagFile(probe: Probe, flag: FlagFile, path: string, previous: string | null): Promise<string | null> {
  const failuresBefore = probe.failures.length;
  const reason = await probe.readIfPresent(flag, path, (text) => text.trim() || `${flag} file`);
  return probe.failures.length > failuresBefore ? previous : reason;
}
