import type { MigrationRecord, Stage } from "../../platform/migration-record.js";
import { completeConfig } from "../../policies/config.js";
import { indexFleet } from "../../policies/fleet.js";
import { budgetLeft } from "../../policies/gates/budget.js";
import { compareIds } from "../../policies/order.js";
import { isForced } from "../../policies/stages/gates.js";
import { type Moment, whyNoLongerWanted, whyReasonGone } from "../../policies/still-wanted.js";
import type { MoveReason } from "../../policies/types.js";
import { recordAudit } from "../audit.js";
import { cancelMigration } from "./cancel.js";
import { approvedUnder, heldBack, type Restraint } from "./carry-out-plan.js";
import type { Actor } from "./start-migration.js";

/** Stages in which the workload still runs undisturbed, so that turning back costs nobody anything. */
const UNDISTURBED: ReadonlySet<Stage> = new Set(["preflight", "reserve", "prepare", "precopy"]);

/**
 * Calls off moves that have been opened, and have not frozen anything, when the fleet of this moment no longer calls for them: each by whether it
 * would be held back now and whether its reason still stands, and of those that wait in their queues one a tick, in turn, by whether it could be
 * planned now. That look weighs the whole fleet, and a tick must stay short.
 * @returns ids of those called off.
 */
export async function withdrawMoves(
  { redis, keys, term }: Actor,
  open: readonly MigrationRecord[],
  moment: Moment,
  restraint: Restraint,
): Promise<string[]> {
  const pending = open.filter(({ outcome, stage }) => outcome === "pending" && (stage === "queued" || UNDISTURBED.has(stage)));
  const overBudget = beyondBudget(open, pending, moment);
  const queued = pending.filter(({ stage }) => stage === "queued").sort((a, b) => compareIds(a.id, b.id));
  const inTurn = queued[Math.floor(moment.now) % queued.length];
  const withdrawn: string[] = [];
  for (const record of pending) {
    // Called off already with one that it moves as one with.
    if (withdrawn.includes(record.id)) continue;
    const why =
      whyRestrained(record, restraint) ??
      (overBudget.has(record) ? "The budget of moves for this hour is spent." : whyWithdrawn(record, record === inTurn, moment));
    if (why === null || (await cancelMigration({ redis, keys, term }, record, why)) !== "aborted") continue;
    for (const { id, workload } of pending.filter((each) => each === record || record.members.includes(each.id))) {
      withdrawn.push(id);
      const entry = { at: moment.now, kind: "move-withdrawn", actor: "scheduler", workload, migration: id, detail: why };
      await recordAudit(redis, keys, entry, term);
    }
  }
  return withdrawn;
}

/** Asked again, since mode and windows may have changed since it was planned; of one that was approved only windows are, and a pause that came later. */
function whyRestrained({ reason, from, to, approved, createdAt }: MigrationRecord, now: Restraint): string | null {
  const isLater = now.pause !== null && now.pause.since >= createdAt;
  const restraint = !approved ? now : { ...approvedUnder(now), pause: isLater ? now.pause : null };
  const why = heldBack({ reason: reason as MoveReason, from, to }, restraint);
  return why === null ? null : `It is held back now: ${why}.`;
}

/** Of the moves for levelling the newest, as many as are beyond this hour's budget, which may have been lowered or used up by others. */
function beyondBudget(
  open: readonly MigrationRecord[],
  pending: readonly MigrationRecord[],
  { snapshot, config, now }: Moment,
): ReadonlySet<MigrationRecord> {
  const { movesPerHour } = completeConfig(config);
  const levelling = pending.filter(({ reason, approved }) => !approved && !isForced(reason as MoveReason));
  if (movesPerHour === null || levelling.length === 0) return new Set();
  // One that has been called off before stays open until its executor has closed it.
  const aborted = new Set(open.flatMap(({ id, outcome }) => (outcome === "aborted" ? [id] : [])));
  const migrations = snapshot.migrations.filter(({ id }) => !aborted.has(id));
  const excess = Math.max(0, -budgetLeft(indexFleet({ ...snapshot, migrations }), movesPerHour, now));
  return new Set(levelling.sort((a, b) => compareIds(b.id, a.id)).slice(0, excess));
}

function whyWithdrawn({ workload, from, to, reason }: MigrationRecord, isInTurn: boolean, moment: Moment): string | null {
  const move = { workload, from, to, reason: reason as MoveReason };
  return whyReasonGone(moment, move) ?? (isInTurn ? (whyNoLongerWanted(moment, move)?.because ?? null) : null);
}
