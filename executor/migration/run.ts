import { nowSeconds } from "../../platform/clock.js";
import { asEvenkeelError, type ErrorCode, EvenkeelError } from "../../platform/errors.js";
import { blockersAmong, type Finding } from "../../platform/findings.js";
import { abortMigration, closeMigration, type MigrationRecord, readMigration } from "../../platform/migration-record.js";
import { monotonicSeconds } from "../channel/events.js";
import type { Checkpoint, WorkloadDescription } from "../engine/engine.js";
import type { IncomingStatus } from "../peer/protocol.js";
import { preflight } from "../preflight/preflight.js";
import { removeFolder } from "../remove-folder.js";
import { syncFrozen, syncWhileRunning } from "./files.js";
import { CRIU_ALONE, goesCold } from "./goes-cold.js";
import { forgetDescription, keepDescription } from "./kept-description.js";
import { enter, type Held, type Surroundings, sourceFolder, startLiveProgress } from "./migration.js";
import { COLD, chooseMode, MODES } from "./modes.js";
import { decideCompression } from "./outlet.js";
import { ALONE, type Rendezvous } from "./rendezvous.js";
import { reserveRoom } from "./reserve.js";
import { sendImage, sendMemory } from "./send.js";
import { withRetries } from "./with-retries.js";

/** How often a source that lost the destination's answer after the commit asks again. */
const STATUS_INTERVAL_SECONDS = 1;

/** What either end meets when somebody has settled the record against the migration meanwhile. */
const CANCELLED_CODES = new Set<ErrorCode>(["CANCELLED", "FENCED", "COMMIT_REFUSED"]);

/** What the source holds that has to be given back, whichever way the migration ends. */
interface Progress {
  description: WorkloadDescription | null;
  restartsHeld: boolean;
  checkpoint: Checkpoint | null;
  frozenAt: number | null;
  /** When the destination reached each step of the restore, in seconds. */
  restoreSteps: Readonly<Record<string, number>>;
}

/**
 * Carries out one claimed migration, from preflight to the closed record. Never throws for a migration that failed: the record says so.
 * States and the point of no return: docs/architecture-migration.md.
 */
export async function runMigration(
  surroundings: Surroundings,
  record: MigrationRecord,
  rendezvous: Rendezvous = ALONE,
): Promise<MigrationRecord> {
  const { redis, keys } = surroundings;
  const log = surroundings.log.child({ migration: record.id, workload: record.name });
  const progress: Progress = { description: null, restartsHeld: false, checkpoint: null, frozenAt: null, restoreSteps: {} };
  const counts = { record, bytes: {}, carried: {} };
  const peer = await surroundings.connect(record.to);
  const held: Held = { ...counts, peer, live: startLiveProgress(surroundings, counts), outlet: { compresses: false }, log };
  try {
    const blackoutSeconds = await carryOver(surroundings, held, progress, rendezvous).catch(async (error: unknown) => {
      const known = asEvenkeelError(error);
      rendezvous.leave(new EvenkeelError("CANCELLED", `${record.name}, which moves as one with it, failed: ${known.message}`));
      log.error({ code: known.code, detail: known.detail, stack: known.code === "INTERNAL" ? known.stack : undefined }, "migration failed");
      await settle(surroundings, held, progress, known);
      return null;
    });
    if (blackoutSeconds !== null) {
      // From here on the twin runs. What fails now leaves the record open in this stage, and the worker takes it up again.
      await enter(surroundings, held, "resume", { blackoutSeconds, restoreSteps: progress.restoreSteps });
      await finishCommitted(surroundings, held, progress);
      await closeMigration(redis, keys, record, nowSeconds(), { result: "succeeded" });
    }
  } finally {
    surroundings.room.release(record.id);
    held.live.close();
    held.peer.close();
  }
  return (await readMigration(redis, keys, record.id)) ?? record;
}

/** Everything up to the resumed twin. Returns the blackout in seconds. */
async function carryOver(surroundings: Surroundings, held: Held, progress: Progress, rendezvous: Rendezvous): Promise<number> {
  const { engine } = surroundings;
  const { record, peer } = held;
  await enter(surroundings, held, "preflight");
  const { description, findings, needs, hasImage, hasZstd } = await preflight(surroundings, record, (offer) =>
    peer.offer(record.id, offer),
  );
  progress.description = description;
  const isCold = goesCold({ mode: record.mode, allowsCold: description.allowsCold }, blockersAmong(findings));
  await assertClear(surroundings, held, isCold ? findings.filter(({ code }) => !CRIU_ALONE.has(code)) : findings);

  const choice = isCold ? COLD : await chooseMode(surroundings, record.mode);
  await enter(surroundings, held, "reserve", { modeUsed: choice.mode, modeBecause: choice.because });
  await reserveRoom(surroundings, held);

  await enter(surroundings, held, "prepare");
  await decideCompression(surroundings, held, hasZstd);
  if (!hasImage) {
    await withRetries(surroundings, held, () => sendImage(surroundings, held, description, needs.imageBytes));
  }
  const twin = await withRetries(surroundings, held, () => peer.makeTwin(record.id));
  const trees = await syncWhileRunning(surroundings, held, { description, twin, fileBytes: needs.rootBytes + needs.volumeBytes });
  const rounds = await MODES[choice.mode].ahead(surroundings, held, description);

  await rendezvous.meet("ready");
  await enter(surroundings, held, "freeze");
  await keepDescription(surroundings, record.id, description);
  progress.restartsHeld = true;
  await engine.holdRestarts(description);
  const folder = sourceFolder(surroundings, record.id);
  const checkpoint = await (isCold ? engine.coldCheckpoint(description, folder) : engine.checkpoint(description, folder, rounds));
  progress.checkpoint = checkpoint;
  const { frozenAt, imagesPath, processes } = await checkpoint.dumped();
  progress.frozenAt = frozenAt;

  await rendezvous.meet("frozen");
  await enter(surroundings, held, "transfer");
  await Promise.all([
    syncFrozen(surroundings, held, checkpoint, trees),
    isCold || sendMemory(surroundings, held, imagesPath),
    engine.silence(description),
  ]);

  await enter(surroundings, held, "restore");
  const { timeline, sinceResumedSeconds } = await peer.restore(record.id, { epoch: record.epoch, processes, isCold });
  const blackoutSeconds = monotonicSeconds() - frozenAt - sinceResumedSeconds;
  held.log.info({ blackoutSeconds, timeline }, "resumed");
  progress.restoreSteps = timeline;
  return blackoutSeconds;
}

/** Writes what stands in the way into the record, where the scheduler learns from it. @throws PREFLIGHT_BLOCKED */
async function assertClear(surroundings: Surroundings, held: Held, findings: readonly Finding[]): Promise<void> {
  const blockers = blockersAmong(findings);
  if (blockers.length === 0) return;
  await enter(surroundings, held, "preflight", { blockers });
  const words = blockers.map(({ code, message, hint }) => `${code}: ${message}. ${hint}`).join(" ");
  throw new EvenkeelError("PREFLIGHT_BLOCKED", words, { facts: { blockers } });
}

/** The twin runs: destroy the source, give the twin its restart policy, forget the images. Each step is safe to repeat. */
async function finishCommitted(surroundings: Surroundings, held: Held, progress: Progress): Promise<void> {
  await progress.checkpoint?.kill();
  progress.checkpoint = null;
  await enter(surroundings, held, "cleanup");
  await held.peer.finish(held.record.id);
  if (progress.description !== null) await surroundings.engine.removeSource(progress.description);
  await removeFolder(sourceFolder(surroundings, held.record.id));
  await forgetDescription(surroundings, held.record.id);
}

/** Ends a migration that met an error, as the record says: exactly one of abort and commit has won. */
async function settle(surroundings: Surroundings, held: Held, progress: Progress, cause: EvenkeelError): Promise<void> {
  const { redis, keys, log } = surroundings;
  const { record } = held;
  let outcome = await abortMigration(redis, keys, record.id, nowSeconds(), cause.message);
  if (outcome === "committed") outcome = await awaitTwin(surroundings, held);
  if (outcome === "committed") {
    await finishCommitted(surroundings, held, progress);
    await closeMigration(redis, keys, record, nowSeconds(), { result: "succeeded" });
    return;
  }
  await giveBack(surroundings, held, progress);
  // A peer that gave no sign of life is not waited for a second time; it tidies up by the record when it is back.
  if (cause.code !== "PEER_UNREACHABLE") {
    await held.peer
      .remove(record.id)
      .catch((error: unknown) => log.warn({ error: String(error) }, "the destination cleans up when it is back"));
  }
  await closeMigration(redis, keys, record, nowSeconds(), {
    result: CANCELLED_CODES.has(cause.code) ? "cancelled" : "failed",
    errorCode: CANCELLED_CODES.has(cause.code) ? "CANCELLED" : cause.code,
    errorMessage: cause.message,
  });
}

/** The source goes on as if nothing had happened. */
async function giveBack(surroundings: Surroundings, held: Held, progress: Progress): Promise<void> {
  const { engine } = surroundings;
  if (progress.checkpoint !== null) {
    await progress.checkpoint.goOn();
    if (progress.description !== null) {
      await engine
        .revive(progress.description)
        .catch((error: unknown) => held.log.error({ error: String(error) }, "the source did not go on"));
    }
  }
  if (progress.restartsHeld && progress.description !== null) await engine.releaseRestarts(progress.description);
  await removeFolder(sourceFolder(surroundings, held.record.id));
  await forgetDescription(surroundings, held.record.id);
}

/**
 * The record says committed but the answer was lost. Only the destination knows whether its copy runs; until it tells us, our copy
 * stays frozen, for it must not run and might still be given back.
 */
export async function awaitTwin({ redis, keys }: Surroundings, held: Pick<Held, "record" | "peer">): Promise<"committed" | "aborted"> {
  for (;;) {
    const status = await held.peer.status(held.record.id).catch((): IncomingStatus => ({ state: "restoring" }));
    if (status.state === "running") return "committed";
    const record = await readMigration(redis, keys, held.record.id);
    if (record?.outcome === "aborted") return "aborted";
    await new Promise((resolve) => setTimeout(resolve, STATUS_INTERVAL_SECONDS * 1000));
  }
}
