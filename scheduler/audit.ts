import type { Redis } from "ioredis";
import { EvenkeelError } from "../platform/errors.js";
import type { Keys } from "../platform/keys.js";
import { loadLua } from "../platform/redis.js";

const appendScript = loadLua("scheduler/lua/audit-append.lua");
/** In each of the two streams. */
const ENTRIES_KEPT = 10_000;
/** What the leader thinks of each tick: in a large fleet so much that it would wash away what was asked for and done. */
const THOUGHTS: ReadonlySet<string> = new Set(["verdict", "move-planned"]);

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
  const reply = await appendScript(
    redis,
    [THOUGHTS.has(entry.kind) ? keys.auditThoughts : keys.audit, keys.leader],
    [term, ENTRIES_KEPT, ...fields],
  );
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${term} is over`);
}

/** Newest first. */
export async function readAudit(redis: Redis, keys: Keys, limit: number): Promise<AuditEntry[]> {
  const read = async (stream: string) => redis.xrevrange(stream, "+", "-", "COUNT", limit);
  const [done, thought] = await Promise.all([read(keys.audit), read(keys.auditThoughts)]);
  // An id is unique in its stream only.
  const marked = thought.map(([id, fields]) => [`${id}t`, fields] as const);
  const entries = [...done, ...marked].sort(([a], [b]) => writtenAt(b) - writtenAt(a)).slice(0, limit);
  return entries.map(([id, fields]) => {
    const named: Record<string, string> = {};
    for (let index = 0; index + 1 < fields.length; index += 2) named[fields[index]!] = fields[index + 1]!;
    return { ...named, id, at: Number(named["at"]), kind: named["kind"] ?? "", detail: named["detail"] ?? "" };
  });
}

/** The milliseconds with which a stream's id begins; what one stream has of the same one stays in its order. */
function writtenAt(id: string): number {
  return Number.parseInt(id, 10);
}
