import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";
import { createMigrations, type Learned } from "../../platform/migration-record.js";
import type { AskedMode } from "../../policies/modes/choose-mode.js";
import { lossesIn } from "../../policies/say-losses.js";
import type { Move, WorkloadState } from "../../policies/types.js";
import type { FleetPicture } from "../fleet/build-snapshot.js";
import type { MigrationJobs } from "./migration-jobs.js";

export interface Actor {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly jobs: MigrationJobs;
  /** The leader's term, carried by every write. */
  readonly term: number;
}

/** `approved`: an operator has let it through where the mode would hold it back. */
export type BegunMove = Move & { readonly approved?: boolean };

export interface OpenedMigration {
  readonly id: string;
  readonly workload: string;
  readonly because: string;
}

/**
 * Opens the record, then delivers the job: a crash in between leaves a record without a job, which recovery mends. Of a workload that moves as one
 * with others, all are opened at once and one job carries them.
 * @param mode instead of what the workload's label says; null = as that says
 * @returns all that were opened, that of the move first.
 * @throws WORKLOAD_NOT_FOUND, WORKLOAD_MIGRATING, MOVE_REFUSED, FENCED.
 */
export async function startMigration(
  { redis, keys, jobs, term }: Actor,
  picture: FleetPicture,
  move: BegunMove,
  mode: AskedMode | null = null,
): Promise<readonly OpenedMigration[]> {
  const at = nowSeconds();
  const { from, to, reason } = move;
  const together = whoMoves(picture, move);
  const losses = together.length > 1 ? lossesIn(picture.snapshot) : new Map<string, string>();
  const migrations = await Promise.all(
    together.map(async (state) => {
      const reading = picture.placed.find(({ id }) => id === state.id)?.reading;
      if (reading === undefined) throw new EvenkeelError("WORKLOAD_NOT_FOUND", state.id);
      // The picture may have aged while others of its moves were being started.
      const movedAt = Number((await redis.hget(keys.lastMoved, state.id)) ?? 0);
      if (movedAt > picture.reading.at) throw new EvenkeelError("WORKLOAD_MIGRATING", `${reading.name} has just arrived elsewhere`);
      const { name, containerId } = reading;
      return {
        id: makeMigrationId(at),
        workload: state.id,
        name,
        containerId,
        from,
        to,
        reason,
        because:
          state.id === move.workload
            ? move.because
            : [`It moves as one with ${together[0]!.name}.`, losses.get(state.id) ?? ""].join(" ").trim(),
        mode: (state.id === move.workload ? mode : null) ?? state.constraints.mode,
        ...(move.approved && { approved: true }),
        ...learnedOf(state),
      };
    }),
  );
  await createMigrations(redis, keys, migrations, at, term);
  await jobs.add(migrations[0]!.id, from);
  return migrations;
}

/** What the executor's forecast may know of it, so that it says what the plan did. */
function learnedOf({ past, dirtyBytesPerSecond }: WorkloadState): { readonly learned?: Learned } {
  if (!past) return {};
  const { frozenFileBytes = null, stopSeconds = null } = past;
  return { learned: { dirtyBytesPerSecond: dirtyBytesPerSecond ?? past.dirtyBytesPerSecond ?? null, frozenFileBytes, stopSeconds } };
}

/** The workload of a move, and those on its node that move as one with it. @throws WORKLOAD_NOT_FOUND, MOVE_REFUSED */
function whoMoves({ snapshot }: FleetPicture, { workload: id, from, to }: Move): WorkloadState[] {
  const wanted = snapshot.workloads.find((each) => each.id === id);
  if (wanted === undefined) throw new EvenkeelError("WORKLOAD_NOT_FOUND", id);
  const { group } = wanted.constraints;
  const others = group ? snapshot.workloads.filter((each) => each.id !== id && each.node === from && each.constraints.group === group) : [];
  for (const { name, constraints } of others) {
    const isFixed = constraints.mode === "never" || (constraints.pinnedTo.length > 0 && !constraints.pinnedTo.includes(to));
    if (isFixed) throw new EvenkeelError("MOVE_REFUSED", `${wanted.name} moves as one with ${name}, which may not go to ${to}`);
  }
  return [wanted, ...others];
}

/** Sorts by time; holds no `:`, which BullMQ forbids in a job's id. */
function makeMigrationId(at: number): string {
  return `m-${Math.floor(at * 1000).toString(36)}-${randomBytes(4).toString("hex")}`;
}
