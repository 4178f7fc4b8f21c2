import { mkdir, readFile, rm } from "node:fs/promises";
import type { WorkloadDescription } from "../engine/engine.js";
import { writeDurably } from "../write-durably.js";
import type { Surroundings } from "./migration.js";

function keptPath(surroundings: Surroundings, id: string): string {
  return `${surroundings.stateDirectory}/leaving/${id}.json`;
}

/**
 * Written before anything about the workload is changed, so that a successor can give back what it had (its restart policy), after a
 * power cut too.
 */
export async function keepDescription(surroundings: Surroundings, id: string, description: WorkloadDescription): Promise<void> {
  await mkdir(`${surroundings.stateDirectory}/leaving`, { recursive: true, mode: 0o700 });
  await writeDurably(keptPath(surroundings, id), JSON.stringify(description));
}

/** Null when the migration had not come to the freeze: nothing was changed then. */
export async function readKeptDescription(surroundings: Surroundings, id: string): Promise<WorkloadDescription | null> {
  const text = await readFile(keptPath(surroundings, id), "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as WorkloadDescription);
}

export async function forgetDescription(surroundings: Surroundings, id: string): Promise<void> {
  await rm(keptPath(surroundings, id), { force: true });
}
