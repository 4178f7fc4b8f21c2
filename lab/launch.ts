import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectPath } from "../platform/paths.js";
import { createGroup, type Size } from "./cgroups.js";
import { waitFor } from "./deadline.js";

const START_DEADLINE_SECONDS = 180;

/**
 * Starts a script that becomes the first process of new namespaces, counted under evenkeel-lab/<lab>/<name>.
 * Resolves with its number as the host sees it, once the script has written that to <folder>/log/pid.
 */
export async function launch(
  script: string,
  folder: string,
  owner: { lab: string; name: string; size: Size },
  args: readonly string[] = [],
): Promise<number> {
  const group = await createGroup(owner.lab, owner.name, owner.size);
  await writeFile(join(folder, "cgroups"), `${group.start.join("\n")}\n`);
  await writeFile(join(folder, "enter"), `${group.enter.join("\n")}\n`);
  const pidFile = join(folder, "log", "pid");
  await rm(pidFile, { force: true });
  const logFile = join(folder, "log", "start.log");
  const log = openSync(logFile, "a");
  const child = spawn("bash", [projectPath(`lab/scripts/${script}`), folder, ...args], { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.unref();
  return waitFor(`${owner.name} to start`, START_DEADLINE_SECONDS, async () => {
    if (existsSync(pidFile)) return Number(await readFile(pidFile, "utf8"));
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${owner.name} did not start:\n${await readFile(logFile, "utf8")}`);
    return undefined;
  });
}
