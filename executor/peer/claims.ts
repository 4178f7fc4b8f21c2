import { type Finding, finding } from "../../platform/findings.js";
import type { WorkloadDescription } from "../engine/engine.js";
import type { Halves } from "./halves.js";

/** What several migrations that come in at once may not have in common: each makes its own equal to its source's, and would empty the other's. */
export interface Claims {
  /** Claims the volumes and folders of a workload for a migration. Returns those that another one has claimed; then none is. Safe to repeat. */
  take(id: string, description: WorkloadDescription): Promise<Finding[]>;
  release(id: string): void;
}

export function makeClaims(halves: Pick<Halves, "ids" | "find">): Claims {
  const holders = new Map<string, string>();
  const enter = (id: string, { volumes, folders }: Pick<WorkloadDescription, "volumes" | "folders">): Finding[] => {
    const wanted = [...volumes.map(({ name }) => `volume ${name}`), ...folders.map(({ source }) => `folder ${source}`)];
    const taken = wanted.filter((name) => (holders.get(name) ?? id) !== id);
    if (taken.length === 0) for (const name of wanted) holders.set(name, id);
    return taken.map((name) =>
      finding(
        name.startsWith("volume ") ? "volume-taken" : "bind-mount-taken",
        `The ${name} is coming in with migration ${holders.get(name)}`,
      ),
    );
  };
  // Those that an earlier executor let in.
  const known = halves.ids().then(async (ids) => {
    for (const id of ids) {
      const half = await halves.find(id);
      if (half !== null) enter(id, half.description);
    }
  });
  return {
    take: async (id, description) => {
      await known;
      return enter(id, description);
    },
    release: (id) => {
      for (const [name, holder] of holders) if (holder === id) holders.delete(name);
    },
  };
}
