import type { NodeState } from "../../policies/types.js";
import { type FirstSeen, readFlags } from "./maintenance.js";
import type { NodeReading } from "./read-nodes.js";

/** Who asks that nothing new be placed on a node: `flag` (CLI, API, redis-cli) or a `file` on the node. */
export interface CordonRequest {
  readonly source: "flag" | "file";
  readonly since: number;
  readonly reason: string;
}

/** Every standing cordon of this node; none = it takes newcomers. Written like a maintenance flag, of which a deadline would mean nothing here. */
export function cordonRequests(reading: NodeReading, firstSeen: FirstSeen, now: number): CordonRequest[] {
  const { id, cordon, sample } = reading;
  const flags = readFlags({ key: `${id} cordon`, flag: cordon, file: sample?.cordonFile ?? null }, firstSeen, now);
  return flags.map(({ source, since, reason }) => ({ source, since, reason }));
}

/** The cordons as the policies see them. */
export function mergeCordons(requests: readonly CordonRequest[]): Pick<NodeState, "cordoned" | "cordonedBecause"> {
  if (requests.length === 0) return {};
  return { cordoned: true, cordonedBecause: [...new Set(requests.map(({ reason }) => reason))].join("; ") };
}
