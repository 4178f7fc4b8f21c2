import { setTimeout as delay } from "node:timers/promises";
import { nowSeconds } from "../../platform/clock.js";
import type { ErrorCode, EvenkeelError } from "../../platform/errors.js";
import { abortMigration, type Closing, closeMigration, type MigrationRecord, readMigration } from "../../platform/migration-record.js";
import type { Checkpoint, WorkloadDescription } from "../engine/engine.js";
import { stopPageSource } from "../pages/start-page-source.js";
import type { IncomingStatus } from "../peer/protocol.js";
import { removeFolder } from "../remove-folder.js";
import { askWhetherLost, awaitPages, closingAfter } from "./follow.js";
import type { Guard } from "./guard-frozen.js";
import { forgetDescription } from "./kept-description.js";
import { enter, type Held, type Surroundings, sourceFolder } from "./migration.js";

/** How often a source that lost the destination's answer after the commit asks again. */
const STATUS_INTERVAL_SECONDS = 1;
/** Docker's default: at once, and after one and two seconds. */
const DOCKER_ANNOUNCES_SECONDS = 3;
const REVIVE_ATTEMPTS = 10;
const REVIVE_INTERVAL_SECONDS = 0.5;

/** What either end meets when somebody has settled the record against the migration meanwhile. */
const CANCELLED_CODES = new Set<ErrorCode>(["CANCELLED", "FENCED", "COMMIT_REFUSED"]);

/** What the source holds that has to be given back, whichever way the migration ends. */
export interface Progress {
  description: WorkloadDescription | null;
  restartsHeld: boolean;
  checkpoint: Checkpoint | null;
  frozenAt: number | null;
  /** When the destination reached each step of the restore, in seconds. */
  restoreSteps: Readonly<Record<string, number>>;
  /** Memory follows after the commit. */
  leavesMemory: boolean;
  /** What the destination says of a restore that it was asked for: why it failed, or null. */
  restored: Promise<EvenkeelError | null> | null;
  /** The frozen workload went on by itself, since what held it died. */
  wasLetGo: boolean;
  guard: Guard | null;
}

/**
 * The twin runs: wait for its memory, destroy the source, give the twin its restart policy, forget the images. Each step is safe to repeat. The source's
 * container goes as soon as it has ended: as long as it is there, somebody may start it.
 */
export async function finishCommitted(surroundings: Surroundings, held: Held, progress: Progress): Promise<Closing> {
  const { description, checkpoint } = progress;
  const following =
    progress.leavesMemory && description !== null
      ? await awaitPages(surroundings, held, { description, checkpoint })
      : await askWhetherLost(held.peer, held.record.id);
  await progress.checkpoint?.kill();
  progress.checkpoint = null;
  if (description !== null) await removeSource(surroundings, held, description);
  await enter(surroundings, held, "cleanup");
  await held.peer.finish(held.record.id);
  await stopPageSource(sourceFolder(surroundings, held.record.id));
  await removeFolder(sourceFolder(surroundings, held.record.id));
  await forgetDescription(surroundings, held.record.id);
  return closingAfter(following, held.record);
}

/** Removes what has moved on; what somebody else has begun to use stays. */
export async function removeSource({ engine }: Surroundings, { log }: Pick<Held, "log">, description: WorkloadDescription): Promise<void> {
  const left = await engine.removeSource(description);
  if (left.length > 0) log.warn({ left }, "left at the source, since others use it");
}

/** Ends a migration that met an error, as the record says: exactly one of abort and commit has won. */
export async function settle(surroundings: Surroundings, held: Held, progress: Progress, cause: EvenkeelError): Promise<void> {
  const { redis, keys } = surroundings;
  const { record } = held;
  const wasAborted = (await readMigration(redis, keys, record.id))?.outcome === "aborted";
  let outcome = await abortMigration(redis, keys, record.id, nowSeconds(), cause.message);
  if (outcome === "committed") outcome = await awaitTwin(surroundings, held);
  if (outcome === "committed") {
    // Before anything is done that a revert could not take back.
    await enter(surroundings, held, "resume");
    const closing = await finishCommitted(surroundings, held, progress);
    await closeMigration(redis, keys, record, nowSeconds(), closing);
    return;
  }
  await giveBack(surroundings, held, progress);
  // Not waited for while the workload stands still: the record allows no copy there any more.
  const told = await progress.restored;
  // That it was refused the commit says no more than that the record was aborted.
  const why = told === null || CANCELLED_CODES.has(told.code) ? cause : told;
  // A peer that gave no sign of life is not waited for a second time; it tidies up by the record when it is back.
  await withdrawCopy(
    surroundings,
    held,
    why.code === "PEER_UNREACHABLE" ? null : held.peer,
    progress.checkpoint === null ? null : progress.description,
  );
  // A destination that tidied up after the cancel, before we met it, knows nothing of the migration any more.
  const isCancelled = CANCELLED_CODES.has(why.code) || (wasAborted && why.code === "MIGRATION_NOT_FOUND");
  await closeMigration(redis, keys, record, nowSeconds(), {
    result: isCancelled ? "cancelled" : "failed",
    errorCode: isCancelled ? "CANCELLED" : why.code,
    errorMessage: why.message,
  });
}

/**
 * Has the destination remove its copy, and draws the traffic back that its Docker may have drawn there since the source went on: a container's address is
 * announced when its network is attached, and twice more. `description` null: it never left the source.
 */
export async function withdrawCopy(
  { engine }: Surroundings,
  { record, log }: Pick<Held, "record" | "log">,
  peer: Pick<Held["peer"], "remove"> | null,
  description: WorkloadDescription | null,
): Promise<void> {
  const isRemoved = await (peer?.remove(record.id) ?? Promise.reject(new Error("it cannot be reached"))).then(
    () => true,
    (error: unknown) => {
      log.warn({ error: String(error) }, "the destination cleans up when it is back");
      return false;
    },
  );
  if (description === null) return;
  if (!isRemoved) await delay(DOCKER_ANNOUNCES_SECONDS * 1000);
  await engine.announce(description).catch((error: unknown) => log.warn({ error: String(error) }, "the neighbours were not told again"));
}

/** The source goes on as if nothing had happened. */
async function giveBack(surroundings: Surroundings, held: Held, progress: Progress): Promise<void> {
  const { engine } = surroundings;
  const folder = sourceFolder(surroundings, held.record.id);
  await progress.guard?.close();
  if (progress.checkpoint !== null) {
    await progress.checkpoint.goOn();
    if (progress.description !== null) {
      const wasLetGo = progress.wasLetGo || (await engine.wasLetGo(folder));
      await reviveSurely(surroundings, held, progress.description, wasLetGo);
    }
  }
  await stopPageSource(folder);
  if (progress.restartsHeld && progress.description !== null) await engine.releaseRestarts(progress.description);
  await removeFolder(folder);
  await forgetDescription(surroundings, held.record.id);
}

/**
 * Docker may hear of the end of a workload later than we do, and may be too busy to start it. @throws the last error: the record stays open then, and is
 * taken up again as one that an earlier executor left.
 */
async function reviveSurely(
  { engine }: Surroundings,
  { log }: Pick<Held, "log">,
  description: WorkloadDescription,
  wasLetGo: boolean,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (!(await engine.revive(description, { wasLetGo })))
        log.error("the workload died in its checkpoint and was started anew, without its memory");
      return;
    } catch (error) {
      log.error({ error: String(error), attempt }, "the source does not go on");
      if (attempt === REVIVE_ATTEMPTS) throw error;
      await delay(REVIVE_INTERVAL_SECONDS * 1000);
    }
  }
}

/**
 * The record says committed but the answer was lost. Only the destination knows whether its copy runs; until it tells us, our copy
 * stays frozen, for it must not run and might still be given back.
 */
export async function awaitTwin(surroundings: Surroundings, held: Pick<Held, "record" | "peer">): Promise<"committed" | "aborted"> {
  const { redis, keys } = surroundings;
  for (;;) {
    const status = await held.peer
      .status(held.record.id)
      .catch(() => askAnew(surroundings, held.record))
      .catch((): IncomingStatus => ({ state: "restoring", pages: null }));
    if (status.state === "running") return "committed";
    const record = await readMigration(redis, keys, held.record.id);
    if (record?.outcome === "aborted") return "aborted";
    await new Promise((resolve) => setTimeout(resolve, STATUS_INTERVAL_SECONDS * 1000));
  }
}

/** Its executor may have come back at another address. What is asked of it then fails, and whoever takes the record up again asks it there. */
async function askAnew({ connect }: Surroundings, { id, to }: MigrationRecord): Promise<IncomingStatus> {
  const peer = await connect(to);
  try {
    return await peer.status(id);
  } finally {
    peer.close();
  }
}
