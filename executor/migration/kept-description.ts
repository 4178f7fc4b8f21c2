import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { WorkloadDescription } from "../engine/engine.js";
import { type Surroundings, sourceFolder } from "./migration.js";

/** Written before anything about the workload is changed, so that a successor can give back what it had (its restart policy). */
export async function keepDescription(surroundings: Surroundings, id: string, description: WorkloadDescription): Promise<void> {
  const folder = sourceFolder(surroundings, id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(`${folder}/description.json`, JSON.stringify(description), { mode: 0o600 });
}

/** Null when the migration had not come to the freeze: nothing was changed then. */
export async function readKeptDescription(surroundings: Surroundings, id: string): Promise<WorkloadDescription | null> {
  const text = await readFile(`${sourceFolder(surroundings, id)}/description.json`, "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as WorkloadDescription);
}
