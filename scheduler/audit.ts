import type { Redis } from "ioredis";
import { EvenkeelError } from "../platform/errors.js";
import type { Keys } from "../platform/keys.js";
import { loadLua } from "../platform/redis.js";

const appendScript = loadLua("scheduler/lua/audit-append.lua");
const ENTRIES_KEPT = 10_000;

export interface AuditEntry {
  readonly id: string;
  /** Epoch seconds. */
  readonly at: number;
  readonly kind: string;
  readonly detail: string;
  readonly actor?: string;
  readonly node?: string;
  readonly workload?: string;
  readonly migration?: string;
}

/** Notes one thing. `term` is the leader's; 0 for an operator's own doing. @throws FENCED when a newer leader exists. */
export async function recordAudit(redis: Redis, keys: Keys, entry: Omit<AuditEntry, "id">, term: number): Promise<void> {
  const fields = Object.entries(entry).flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
  const reply = await appendScript(redis, [keys.audit, keys.leader], [term, ENTRIES_KEPT, ...fields]);
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${term} is over`);
}

/** Newest first. */
export async function readAudit(redis: Redis, keys: Keys, limit: number): Promise<AuditEntry[]> {
  const entries = await redis.xrevrange(keys.audit, "+", "-", "COUNT", limit);
  return entries.map(([id, fields]) => {
    const named: Record<string, string> = {};
    for (let index = 0; index + 1 < fields.length; index += 2) named[fields[index]!] = fields[index + 1]!;
    return { ...named, id, at: Number(named["at"]), kind: named["kind"] ?? "", detail: named["detail"] ?? "" };
  });
}
