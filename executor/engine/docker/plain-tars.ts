import { stat } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import { projectPath } from "../../../platform/paths.js";

/** Where CRIU is to find `tar` (executor/shim/as-tar). */
const FOLDER = projectPath("executor/shim/as-tar");

const READ_AND_RUN = 0o5;
const RUN = 0o1;

/**
 * Whether everyone may run our `tar`: with `--userns-remap` it is the container's root who does. An installation that only root gets at has CRIU compress. @param path for tests.
 */
export async function canTarPlainly(path = `${FOLDER}/tar`): Promise<boolean> {
  const allows = async (place: string, needed: number) => ((await stat(place)).mode & needed) === needed;
  try {
    if (!(await allows(path, READ_AND_RUN))) return false;
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      if (!(await allows(folder, RUN))) return false;
      if (folder === dirname(folder)) return true;
    }
  } catch {
    return false;
  }
}

/** The search path of a dump whose tmpfs mounts need not be compressed. */
export const plainTarPath = (): string => [FOLDER, process.env["PATH"] ?? ""].join(delimiter);
