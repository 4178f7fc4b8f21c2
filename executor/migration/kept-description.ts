import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import type { WorkloadDescription } from "../engine/engine.js";
import type { Surroundings } from "./migration.js";

function keptPath(surroundings: Surroundings, id: string): string {
  return `${surroundings.stateDirectory}/leaving/${id}.json`;
}

/**
 * Written before anything about the workload is changed, so that a successor can give back what it had (its restart policy), after a
 * power cut too.
 */
export async function keepDescription(surroundings: Surroundings, id: string, description: WorkloadDescription): Promise<void> {
  const path = keptPath(surroundings, id);
  await mkdir(`${surroundings.stateDirectory}/leaving`, { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, "w", 0o600);
  await file.writeFile(JSON.stringify(description));
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
}

/** Null when the migration had not come to the freeze: nothing was changed then. */
export async function readKeptDescription(surroundings: Surroundings, id: string): Promise<WorkloadDescription | null> {
  const text = await readFile(keptPath(surroundings, id), "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as WorkloadDescription);
}

export async function forgetDescription(surroundings: Surroundings, id: string): Promise<void> {
  await rm(keptPath(surroundings, id), { force: true });
}
