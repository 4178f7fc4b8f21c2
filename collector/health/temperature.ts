import type { Probe } from "../probe.js";
import { couldNotLook, found, type Looker } from "./look.js";

const MONITORS = "/sys/class/hwmon";
const MILLIDEGREES = 1000;
/** Chips without a bound of their own report 0, or a number that no silicon survives. */
const BELIEVABLE_DEGREES = { least: 40, most: 150 };

/**
 * Sensors at or above the bound that their own chip calls critical (Documentation/hwmon/sysfs-interface.rst): processors, boards, and
 * disks where `drivetemp` or `nvme` is loaded. A sensor without such a bound says nothing: what is hot for one is usual for another.
 */
export const lookAtTemperatures: Looker = async (probe) => {
  const signs: string[] = [];
  let bounded = 0;
  for (const monitor of await probe.list(MONITORS)) {
    const folder = `${MONITORS}/${monitor}`;
    const chip = (await probe.readIfPresent("health", `${folder}/name`, (text) => text.trim())) ?? monitor;
    const inputs = (await probe.list(folder)).flatMap((file) => /^(temp\d+)_input$/.exec(file)?.[1] ?? []);
    for (const sensor of inputs.sort()) {
      const critical = await readDegrees(probe, `${folder}/${sensor}_crit`);
      if (critical === null || critical < BELIEVABLE_DEGREES.least || critical > BELIEVABLE_DEGREES.most) continue;
      const degrees = await readDegrees(probe, `${folder}/${sensor}_input`);
      if (degrees === null) continue;
      bounded++;
      const label = (await probe.readIfPresent("health", `${folder}/${sensor}_label`, (text) => text.trim())) ?? sensor;
      if (degrees >= critical) signs.push(`${chip} ${label}: ${degrees} °C, critical from ${critical} °C`);
    }
  }
  return bounded === 0 ? couldNotLook("no temperature sensor that knows what is too hot") : found(signs);
};

/** A sensor that sleeps or is gone answers with an error: unknown. */
function readDegrees(probe: Probe, path: string): Promise<number | null> {
  return probe.readIfPresent("health", path, (text) => {
    const value = Number(text.trim());
    if (text.trim() === "" || !Number.isFinite(value)) throw new Error(`not a temperature: ${text.slice(0, 20)}`);
    return value / MILLIDEGREES;
  });
}
