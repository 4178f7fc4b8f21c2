import type { Maintenance } from "../../policies/types.js";
import { parseMaintenanceFlag } from "../protocol.js";
import type { NodeReading } from "./read-nodes.js";

/** Who asks for maintenance: `flag` (CLI, API, redis-cli), `file` on the node, `window` of the configuration. */
export type MaintenanceSource = "flag" | "file" | "window";

export interface MaintenanceRequest extends Maintenance {
  readonly source: MaintenanceSource;
}

/** When each flag without a date of its own was first seen. A restart starts its clock anew; only shown times depend on it. */
export interface FirstSeen {
  at(key: string, now: number): number;
}

export function rememberFirstSeen(): FirstSeen {
  const seen = new Map<string, { first: number; last: number }>();
  const FORGET_SECONDS = 600;
  return {
    at: (key, now) => {
      for (const [other, { last }] of seen) if (now - last > FORGET_SECONDS) seen.delete(other);
      const first = seen.get(key)?.first ?? now;
      seen.set(key, { first, last: now });
      return first;
    },
  };
}

/** Every standing request for this node; none = in service. */
export function maintenanceRequests(
  reading: NodeReading,
  window: Maintenance | null,
  firstSeen: FirstSeen,
  now: number,
): MaintenanceRequest[] {
  const requests: MaintenanceRequest[] = [];
  const add = (source: MaintenanceSource, text: string) => {
    const flag = parseMaintenanceFlag(text, now);
    if (flag === null) return;
    const since = flag.since === now ? firstSeen.at(`${reading.id} ${source} ${text}`, now) : flag.since;
    requests.push({ ...flag, since, source });
  };
  if (reading.flag !== null) add("flag", reading.flag);
  const file = reading.sample?.maintenanceFile ?? null;
  // An empty file asks as well: `touch` is how people set flags.
  if (file !== null) add("file", file.trim() === "" ? "file on the node" : file);
  if (window !== null) requests.push({ ...window, source: "window" });
  return requests;
}

/** All requests as the policies see them: since the first, by the earliest deadline. */
export function mergeRequests(requests: readonly MaintenanceRequest[]): Maintenance | null {
  if (requests.length === 0) return null;
  const deadlines = requests.flatMap(({ deadline }) => (deadline === null ? [] : [deadline]));
  return {
    since: Math.min(...requests.map(({ since }) => since)),
    deadline: deadlines.length === 0 ? null : Math.min(...deadlines),
    reason: [...new Set(requests.map(({ reason }) => reason))].join("; "),
  };
}
