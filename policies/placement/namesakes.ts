import type { Fleet, NodeView } from "../fleet.js";
import type { WorkloadState } from "../types.js";
import type { Company } from "./company.js";

/** All that have one name. */
export interface Namesakes {
  readonly ids: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

/** By name, for those that more than one workload has. */
export function findNamesakes(workloads: Iterable<WorkloadState>): ReadonlyMap<string, Namesakes> {
  const first = new Map<string, WorkloadState>();
  const namesakes = new Map<string, { ids: Set<string>; nodes: Set<string> }>();
  for (const workload of workloads) {
    const { id, name, node } = workload;
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, workload);
      continue;
    }
    const known = namesakes.get(name) ?? { ids: new Set([other.id]), nodes: new Set([other.node]) };
    namesakes.set(name, known);
    known.ids.add(id);
    known.nodes.add(node);
  }
  return namesakes;
}

/** Whether another container has the workload's name on a node that is not its own, or is about to have it. */
export function isNameTaken({ id, name }: WorkloadState, target: NodeView, fleet: Fleet, { headedFor }: Company): boolean {
  if (target.state.endedNames?.includes(name)) return true;
  const namesakes = fleet.namesakes().get(name);
  if (namesakes === undefined) return false;
  if (namesakes.nodes.has(target.id)) return true;
  for (const [other, to] of headedFor) if (to === target.id && other !== id && namesakes.ids.has(other)) return true;
  return false;
}
