import { parseCount } from "../parse-number.js";
import { makeGrowth } from "./growth.js";
import { couldNotLook, found, type Looker } from "./look.js";

const CONTROLLERS = "/sys/devices/system/edac/mc";
const HOUR_SECONDS = 3600;
/** Single corrected errors are everyday; so many in an hour come from a module that is about to fail. */
const MOST_CORRECTED_PER_HOUR = 100;

/**
 * Memory errors as the kernel's EDAC drivers count them (Documentation/driver-api/edac.rst), and machine check exceptions
 * (`/proc/interrupts`). Uncorrectable ones count since boot: memory that has failed once is not to be trusted before somebody has looked.
 */
export function makeMemoryErrors(): Looker {
  const growth = makeGrowth(HOUR_SECONDS);
  return async (probe, seconds) => {
    const controllers = (await probe.list(CONTROLLERS)).filter((name) => /^mc\d+$/.test(name));
    const machineChecks = await probe.readIfPresent("health", "/proc/interrupts", parseMachineChecks);
    if (controllers.length === 0 && machineChecks === null) return couldNotLook("no EDAC driver and no machine check counter");
    const signs: string[] = [];
    if (machineChecks !== null && machineChecks > 0) signs.push(`${machineChecks} machine check exceptions since boot`);
    for (const name of controllers) {
      const uncorrected = await probe.read("health", `${CONTROLLERS}/${name}/ue_count`, parseCount);
      const corrected = await probe.read("health", `${CONTROLLERS}/${name}/ce_count`, parseCount);
      if (uncorrected !== null && uncorrected > 0) signs.push(`${name}: ${uncorrected} uncorrectable memory errors since boot`);
      const grown = corrected === null ? 0 : growth(name, corrected, seconds);
      if (grown >= MOST_CORRECTED_PER_HOUR) signs.push(`${name}: ${grown} corrected memory errors within an hour`);
    }
    return found(signs);
  };
}

/** The row `MCE:` holds a count for each CPU; null on machines without one. */
export function parseMachineChecks(text: string): number | null {
  const row = /^\s*MCE:((?:\s+\d+)+)/m.exec(text)?.[1];
  if (row === undefined) return null;
  return row
    .trim()
    .split(/\s+/)
    .reduce((sum, count) => sum + parseCount(count), 0);
}
