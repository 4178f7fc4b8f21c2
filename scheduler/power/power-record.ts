import type { Redis } from "ioredis";
import { z } from "zod";
import { EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";
import { loadLua } from "../../platform/redis.js";
import type { NodeState } from "../../policies/types.js";

const writeScript = loadLua("scheduler/lua/power-write.lua");

/** What a node was last told, and when; a node that was never told anything has none. */
const powerRecordSchema = z.object({
  /**
   * `close`: it is to sleep, but its hook has not run: first a reading from after that must show that nothing runs there. `awake`: it has reported
   * again since it was woken, or never fell asleep.
   */
  told: z.enum(["close", "sleep", "wake", "awake"]),
  /** Epoch seconds. */
  since: z.number(),
  /** Of one that has not come although it was woken: when it was last called again, in epoch seconds; absent = it was not. */
  calledAt: z.number().optional(),
  /** Of one that sleeps, or is woken from there once more: when its hook last failed to wake it, in epoch seconds; absent = it did not. */
  failedAt: z.number().optional(),
  /** An operator has let it sleep where the mode would hold that back. */
  approved: z.literal(true).optional(),
});

export type PowerRecord = z.infer<typeof powerRecordSchema>;
export type PowerRecords = ReadonlyMap<string, PowerRecord>;

/** @throws FENCED when a newer leader exists. */
export async function writePower(redis: Redis, keys: Keys, node: string, record: PowerRecord, term: number): Promise<void> {
  const reply = await writeScript(redis, [keys.power, keys.leader], [term, node, JSON.stringify(record)]);
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${term} is over`);
}

/** What cannot be understood counts as never told: such a node is judged by what it reports alone. */
export function parsePower(hash: Readonly<Record<string, string>>): PowerRecords {
  const records = new Map<string, PowerRecord>();
  for (const [node, text] of Object.entries(hash)) {
    try {
      const parsed = powerRecordSchema.safeParse(JSON.parse(text));
      if (parsed.success) records.set(node, parsed.data);
    } catch {
      // Not JSON: as above.
    }
  }
  return records;
}

/**
 * What the record and the node's newest sample say together. Fails safe: a node that still reports when it should long be asleep is awake,
 * one that does not report when it should long be awake is unknown, like any other that is silent.
 * @param sampleAt time of its newest believed sample; null = it is silent.
 */
export function judgePower(
  record: PowerRecord | undefined,
  sampleAt: number | null,
  at: number,
  deadlineSeconds: number,
): Pick<NodeState, "power" | "wokenAt" | "wakeFailedAt"> {
  if (record === undefined) return {};
  const { told, since, calledAt, failedAt } = record;
  const failed = failedAt === undefined ? {} : { wakeFailedAt: failedAt };
  if (told === "awake") return { wokenAt: since };
  if (told === "close") return { power: "closing" };
  if (told === "sleep") {
    if (sampleAt === null) return { power: "asleep", ...failed };
    return sampleAt > since + deadlineSeconds ? {} : { power: "falling-asleep" };
  }
  if (sampleAt !== null && sampleAt > since) return { wokenAt: calledAt ?? since };
  return at - since <= deadlineSeconds ? { power: "waking", ...failed } : {};
}
