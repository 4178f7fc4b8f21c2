import type { Maintenance } from "../policies/types.js";

/** BullMQ job data on `migrate-<source node>`; everything else is in the migration record. */
export interface MigrateJob {
  readonly migrationId: string;
}

export const MIGRATE_JOB = "migrate";

/**
 * The maintenance flag as it stands in the hash `maintenance`. Anyone may set it: `HSET {evenkeel}:maintenance n2 on` with redis-cli means
 * the same as the CLI's `drain n2`. A plain word is an open-ended flag with that word as its reason; `off`, `0`, `false`, `no` and the empty
 * string are no flag; JSON may add a deadline.
 */
export function parseMaintenanceFlag(text: string, now: number): Maintenance | null {
  const trimmed = text.trim();
  if (["", "off", "0", "false", "no"].includes(trimmed.toLowerCase())) return null;
  try {
    const value: unknown = JSON.parse(trimmed);
    if (typeof value === "object" && value !== null) {
      const { since, deadline, reason, askedAt } = value as Record<string, unknown>;
      return {
        since: typeof since === "number" ? since : now,
        deadline: typeof deadline === "number" ? deadline : null,
        reason: typeof reason === "string" ? reason : "operator",
        ...(typeof askedAt === "number" && { askedAt }),
      };
    }
  } catch {
    // Not JSON: a word typed by hand.
  }
  return { since: now, deadline: null, reason: trimmed };
}

/** The HTTP API's base path. Routes are listed in docs/api.md. */
export const API_BASE = "/api/v1";
