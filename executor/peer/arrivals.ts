import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import type { WorkloadDescription } from "../engine/engine.js";
import { writeDurably } from "../write-durably.js";

export type Arrivals = ReturnType<typeof keepArrivals>;

export interface Arrival {
  readonly description: WorkloadDescription;
  /** Its copy is known to have run here. Before that only the record can tell. */
  readonly hasRun: boolean;
}

/**
 * On disk: the workloads that come to this node, from the making of their twins until their migrations are finished. Halves of migrations live on tmpfs
 * and are gone after a power cut; what a copy has written before it is not, so a committed one is started anew here, and never taken for one that has not run.
 */
export function keepArrivals(stateDirectory: string) {
  const folder = `${stateDirectory}/arrived`;
  const path = (id: string) => `${folder}/${id}.json`;
  return {
    async keep(id: string, arrival: Arrival): Promise<void> {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeDurably(path(id), JSON.stringify(arrival));
    },
    async read(id: string): Promise<Arrival | null> {
      const text = await readFile(path(id), "utf8").catch(() => null);
      return text === null ? null : (JSON.parse(text) as Arrival);
    },
    forget: (id: string) => rm(path(id), { force: true }),
    async ids(): Promise<string[]> {
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
    },
  };
}
