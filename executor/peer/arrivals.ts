import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import type { WorkloadDescription } from "../engine/engine.js";
import { writeDurably } from "../write-durably.js";

export type Arrivals = ReturnType<typeof keepArrivals>;

/**
 * On disk: the workloads that run here by a commit whose migration is not finished. Halves of migrations live on tmpfs and are gone after a power
 * cut, and until its migration is finished Docker does not start a copy by itself.
 */
export function keepArrivals(stateDirectory: string) {
  const folder = `${stateDirectory}/arrived`;
  const path = (id: string) => `${folder}/${id}.json`;
  return {
    async keep(id: string, description: WorkloadDescription): Promise<void> {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeDurably(path(id), JSON.stringify(description));
    },
    async read(id: string): Promise<WorkloadDescription | null> {
      const text = await readFile(path(id), "utf8").catch(() => null);
      return text === null ? null : (JSON.parse(text) as WorkloadDescription);
    },
    forget: (id: string) => rm(path(id), { force: true }),
    async ids(): Promise<string[]> {
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
    },
  };
}
