import type { MigrationRecord, Stage } from "../../platform/migration-record.js";
import { compareIds } from "../../policies/order.js";
import { type Moment, whyNoLongerWanted, whyReasonGone } from "../../policies/still-wanted.js";
import type { MoveReason } from "../../policies/types.js";
import { recordAudit } from "../audit.js";
import { cancelMigration } from "./cancel.js";
import type { Actor } from "./start-migration.js";

/** Stages in which the workload still runs undisturbed, so that turning back costs nobody anything. */
const UNDISTURBED: ReadonlySet<Stage> = new Set(["preflight", "reserve", "prepare", "precopy"]);

/**
 * Calls off moves that have been opened, and have not frozen anything, when the fleet of this moment no longer calls for them: each by whether its
 * reason still stands, and of those that wait in their queues one a tick, in turn, by whether it could be planned now. That look weighs the
 * whole fleet, and a tick must stay short.
 * @returns ids of those called off.
 */
export async function withdrawMoves({ redis, keys, term }: Actor, open: readonly MigrationRecord[], moment: Moment): Promise<string[]> {
  const pending = open.filter(({ outcome }) => outcome === "pending");
  const queued = pending.filter(({ stage }) => stage === "queued").sort((a, b) => compareIds(a.id, b.id));
  const inTurn = queued[Math.floor(moment.now) % queued.length];
  const withdrawn: string[] = [];
  for (const record of pending) {
    const why = whyWithdrawn(record, record === inTurn, moment);
    if (why === null || (await cancelMigration(redis, keys, record, why)) !== "aborted") continue;
    withdrawn.push(record.id);
    const entry = {
      at: moment.now,
      kind: "move-withdrawn",
      actor: "scheduler",
      workload: record.workload,
      migration: record.id,
      detail: why,
    };
    await recordAudit(redis, keys, entry, term);
  }
  return withdrawn;
}

function whyWithdrawn(record: MigrationRecord, isInTurn: boolean, moment: Moment): string | null {
  if (record.stage !== "queued" && !UNDISTURBED.has(record.stage)) return null;
  const { workload, from, to } = record;
  const move = { workload, from, to, reason: record.reason as MoveReason };
  return whyReasonGone(moment, move) ?? (isInTurn ? (whyNoLongerWanted(moment, move)?.because ?? null) : null);
}
