import type { MigrationRecord, Stage } from "../../platform/migration-record.js";
import { type Moment, whyNoLongerWanted, whyReasonGone } from "../../policies/still-wanted.js";
import type { MoveReason } from "../../policies/types.js";
import { recordAudit } from "../audit.js";
import { cancelMigration } from "./cancel.js";
import type { Actor } from "./start-migration.js";

/** Stages in which the workload still runs undisturbed, so that turning back costs nobody anything. */
const UNDISTURBED: ReadonlySet<Stage> = new Set(["preflight", "reserve", "prepare", "precopy"]);

/**
 * Calls off moves that have been opened, and have not frozen anything, when the fleet of this moment no longer calls for them: one that
 * waits in its queue is judged as if it were planned now, one under way only by whether its reason still stands.
 * @returns ids of those called off.
 */
export async function withdrawMoves({ redis, keys, term }: Actor, open: readonly MigrationRecord[], moment: Moment): Promise<string[]> {
  const withdrawn: string[] = [];
  for (const record of open) {
    const why = record.outcome === "pending" ? whyWithdrawn(record, moment) : null;
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

function whyWithdrawn(record: MigrationRecord, moment: Moment): string | null {
  const { workload, from, to } = record;
  const move = { workload, from, to, reason: record.reason as MoveReason };
  if (record.stage === "queued") return whyNoLongerWanted(moment, move)?.because ?? null;
  return UNDISTURBED.has(record.stage) ? whyReasonGone(moment, move) : null;
}
