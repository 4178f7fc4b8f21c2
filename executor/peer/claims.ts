import { type Finding, finding } from "../../platform/findings.js";
import { overlap } from "../../platform/host-folders.js";
import type { WorkloadDescription } from "../engine/engine.js";
import type { Halves } from "./halves.js";

/** What several migrations that come in at once may not have in common: each makes its own equal to its source's, and would empty the other's. */
export interface Claims {
  /** Claims the volumes and folders of a workload for a migration. Returns those that another one has claimed; then none is. Safe to repeat. */
  take(id: string, description: WorkloadDescription): Promise<Finding[]>;
  release(id: string): void;
}

export function makeClaims(halves: Pick<Halves, "ids" | "find">): Claims {
  const claimed = new Map<string, { readonly volumes: readonly string[]; readonly folders: readonly string[] }>();
  const enter = (id: string, wanted: Pick<WorkloadDescription, "volumes" | "folders">): Finding[] => {
    const volumes = wanted.volumes.map(({ name }) => name);
    const folders = wanted.folders.map(({ source }) => source);
    const findings = [...claimed].flatMap(([other, theirs]) => {
      if (other === id) return [];
      const words = (what: string) => `The ${what} is coming in with migration ${other}`;
      return [
        ...theirs.volumes.filter((name) => volumes.includes(name)).map((name) => finding("volume-taken", words(`volume ${name}`))),
        ...theirs.folders
          .filter((path) => folders.some((each) => overlap(each, path)))
          .map((path) => finding("bind-mount-taken", words(`folder ${path}`))),
      ];
    });
    if (findings.length === 0) claimed.set(id, { volumes, folders });
    return findings;
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
      claimed.delete(id);
    },
  };
}
