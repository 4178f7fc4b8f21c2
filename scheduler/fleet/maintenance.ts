import type { Maintenance } from "../../policies/types.js";
import { parseMaintenanceFlag } from "../protocol.js";
import type { NodeReading } from "./read-nodes.js";

/** Who asks for maintenance: `flag` (CLI, API, redis-cli), `file` on the node, `window` of the configuration. */
export type MaintenanceSource = "flag" | "file" | "window";

export interface MaintenanceRequest extends Maintenance {
  readonly source: MaintenanceSource;
}

/** When each flag without a date of its own was first seen: what counts for a drain, and for moves that were approved, began or was asked for then. */
export interface FirstSeen {
  at(key: string, now: number): number;
}

/** By this process, until a leader has noted it in Redis: see flag-dates.ts. */
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
  const requests: MaintenanceRequest[] = readFlags(
    { key: reading.id, flag: reading.flag, file: reading.sample?.maintenanceFile ?? null },
    firstSeen,
    now,
  );
  return window === null ? requests : [...requests, { ...window, source: "window" }];
}

/** What a field of a hash in Redis and a file on a node say, both written by hand or by Evenkeel, and read alike. `key` tells flags apart in `firstSeen`. */
export function readFlags(
  { key, flag, file }: { readonly key: string; readonly flag: string | null; readonly file: string | null },
  firstSeen: FirstSeen,
  now: number,
): (Maintenance & { readonly source: "flag" | "file" })[] {
  const read = (source: "flag" | "file", text: string) => {
    const parsed = parseMaintenanceFlag(text, now);
    if (parsed === null) return [];
    const since = parsed.since === now ? firstSeen.at(`${key} ${source} ${text}`, now) : parsed.since;
    return [{ ...parsed, since, source }];
  };
  return [
    ...(flag === null ? [] : read("flag", flag)),
    // An empty file asks as well: `touch` is how people set flags.
    ...(file === null ? [] : read("file", file.trim() === "" ? "file on the node" : file)),
  ];
}

/** All requests as the policies see them: since the first, by the earliest deadline. */
export function mergeRequests(requests: readonly MaintenanceRequest[]): Maintenance | null {
  if (requests.length === 0) return null;
  const deadlines = requests.flatMap(({ deadline }) => (deadline === null ? [] : [deadline]));
  return {
    since: Math.min(...requests.map(({ since }) => since)),
    askedAt: Math.max(...requests.map(({ since, askedAt = since }) => askedAt)),
    deadline: deadlines.length === 0 ? null : Math.min(...deadlines),
    reason: [...new Set(requests.map(({ reason }) => reason))].join("; "),
  };
}
