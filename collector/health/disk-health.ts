import si from "systeminformation";
import { parseCount } from "../parse-number.js";
import type { Probe } from "../probe.js";
import { makeGrowth } from "./growth.js";
import { couldNotLook, found, type Looker } from "./look.js";

/** Asking a disk wakes it, and what it says of itself changes slowly. */
const ASK_SECONDS = 600;
const HOUR_SECONDS = 3600;
const FILE_SYSTEMS = "/sys/fs/ext4";

interface Disk {
  readonly device: string;
  readonly name: string;
  /** As systeminformation reads it from smartctl: `Ok`, `Predicted Failure`, else unknown. */
  readonly smartStatus: string;
}

/**
 * Disks that say of themselves that they will fail (SMART), file systems on which errors were met within the last hour, and arrays
 * that run without one of their disks. A disk that does not answer holds up nothing but the news of itself.
 */
export function makeDiskHealth(askDisks: () => Promise<readonly Disk[]> = () => si.diskLayout()): Looker {
  const growth = makeGrowth(HOUR_SECONDS);
  let disks: readonly Disk[] = [];
  let askedSeconds = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;

  const ask = (seconds: number) => {
    if (seconds - askedSeconds < ASK_SECONDS) return;
    askedSeconds = seconds;
    asking ??= askDisks()
      .then(
        (answer) => {
          disks = answer;
        },
        () => {
          disks = [];
        },
      )
      .finally(() => {
        asking = null;
      });
  };

  return async (probe, seconds) => {
    ask(seconds);
    const told = disks.filter(({ smartStatus }) => /^(ok|predicted failure)$/i.test(smartStatus));
    const smart = told.filter(({ smartStatus }) => !/^ok$/i.test(smartStatus));
    const signs = [
      ...smart.map(({ device, name }) => `${device}${name === "" ? "" : ` (${name})`}: the disk predicts its own failure`),
      ...(await fileSystemErrors(probe, seconds, growth)),
      ...(await degradedArrays(probe)),
    ];
    if (signs.length > 0 || told.length > 0) return found(signs);
    return couldNotLook(
      asking === null ? "no disk tells of its health (virtual disks, or smartctl is missing)" : "the disks have not answered yet",
    );
  };
}

async function fileSystemErrors(probe: Probe, seconds: number, growth: ReturnType<typeof makeGrowth>): Promise<string[]> {
  const signs: string[] = [];
  for (const device of await probe.list(FILE_SYSTEMS)) {
    const errors = await probe.readIfPresent("health", `${FILE_SYSTEMS}/${device}/errors_count`, parseCount);
    const grown = errors === null ? 0 : growth(device, errors, seconds);
    if (grown > 0) signs.push(`${device}: ${grown} file system errors within an hour`);
  }
  return signs;
}

async function degradedArrays(probe: Probe): Promise<string[]> {
  const signs: string[] = [];
  for (const device of (await probe.list("/sys/block")).filter((name) => /^md\d+$/.test(name))) {
    const missing = await probe.readIfPresent("health", `/sys/block/${device}/md/degraded`, parseCount);
    if (missing !== null && missing > 0) signs.push(`${device}: the array runs without ${missing} of its disks`);
  }
  return signs;
}
