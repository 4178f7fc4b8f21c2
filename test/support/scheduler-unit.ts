import { readFileSync } from "node:fs";
import { projectPath } from "../../platform/paths.js";

export const SCHEDULER_UNIT = projectPath("scheduler/systemd/evenkeel-scheduler.service");

/** Values of the scheduler's systemd unit, by their names. */
export function readSchedulerUnit(): ReadonlyMap<string, string> {
  return new Map(
    readFileSync(SCHEDULER_UNIT, "utf8")
      .split("\n")
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** What docs/installation.md tells to do for a scheduler without Docker, before the unit is started. */
export function installationWithoutDocker(): string {
  const page = readFileSync(projectPath("docs/installation.md"), "utf8");
  return /^```sh\n(groupadd [\s\S]*?)^```$/m.exec(page)?.[1] ?? "";
}
