import { mkdir } from "node:fs/promises";
import { nowSeconds } from "../../platform/clock.js";
import { asEvenkeelError, type ErrorCode, EvenkeelError } from "../../platform/errors.js";
import { blockersAmong, type Finding, finding } from "../../platform/findings.js";
import { abortMigration, type Closing, closeMigration, type MigrationRecord, readMigration } from "../../platform/migration-record.js";
import { monotonicSeconds } from "../channel/events.js";
import { type Checkpoint, ROOT_TREE, type WorkloadDescription } from "../engine/engine.js";
import { startPageSource, stopPageSource } from "../pages/start-page-source.js";
import type { IncomingStatus } from "../peer/protocol.js";
import { preflight } from "../preflight/preflight.js";
import { removeFolder } from "../remove-folder.js";
import { noteBlackout } from "./blackout-model.js";
import { chooseFor, forecastOf } from "./choose-mode.js";
import { syncFrozen, syncWhileRunning } from "./files.js";
import { awaitPages, closingAfter, pageOrders } from "./follow.js";
import { CRIU_ALONE, goesCold } from "./goes-cold.js";
import { forgetDescription, keepDescription } from "./kept-description.js";
import { enter, type Held, type Surroundings, sourceFolder, startLiveProgress } from "./migration.js";
import { MODES } from "./modes.js";
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
  /** Memory follows after the commit. */
  leavesMemory: boolean;
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
  const progress: Progress = {
    description: null,
    restartsHeld: false,
    checkpoint: null,
    frozenAt: null,
    restoreSteps: {},
    leavesMemory: false,
  };
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
      await noteBlackout(surroundings, record, held.bytes["memory"] ?? 0, blackoutSeconds);
      const closing = await finishCommitted(surroundings, held, progress);
      await closeMigration(redis, keys, record, nowSeconds(), closing);
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
  const asked = await preflight(surroundings, record, (offer) => peer.offer(record.id, offer));
  const { description, needs, hasImage, hasZstd } = asked;
  progress.description = description;
  const isCold = goesCold({ mode: record.mode, allowsCold: description.allowsCold }, blockersAmong(asked.findings));
  const choice = await chooseFor(surroundings, held, { ...asked, isCold });
  const leaveMemory = choice.mode === "postcopy";
  progress.leavesMemory = leaveMemory;
  // Only a mode that was asked for can be chosen without being had.
  const lazy = leaveMemory && choice.whyNot !== null ? [finding("memory-stays", choice.whyNot)] : [];
  const findings = isCold ? asked.findings.filter(({ code }) => !CRIU_ALONE.has(code)) : asked.findings;
  await assertClear(surroundings, held, [...lazy, ...findings]);

  await enter(surroundings, held, "reserve", {
    modeUsed: choice.mode,
    modeBecause: choice.because,
    predictedBlackoutSeconds: choice.blackoutSeconds,
    forecast: forecastOf(choice),
  });
  await reserveRoom(surroundings, held);

  await enter(surroundings, held, "prepare");
  await decideCompression(surroundings, held, hasZstd);
  if (!hasImage) {
    await withRetries(surroundings, held, () => sendImage(surroundings, held, description, needs.imageBytes));
  }
  const twin = await withRetries(surroundings, held, () => peer.makeTwin(record.id, { leaveMemory }));
  const folder = sourceFolder(surroundings, record.id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pages = twin.pagePort === null ? null : startPageSource(folder, pageOrders(surroundings, held, twin.pagePort));
  const trees = await syncWhileRunning(surroundings, held, { description, twin, fileBytes: needs.rootBytes + needs.volumeBytes });
  const rounds = await MODES[choice.mode].ahead(surroundings, held, description);
  await pages?.connected();
  if (!isCold) await peer.begin(record.id);

  await rendezvous.meet("ready");
  await enter(surroundings, held, "freeze");
  await keepDescription(surroundings, record.id, description);
  progress.restartsHeld = true;
  await engine.holdRestarts(description);
  const checkpoint = await (isCold
    ? engine.coldCheckpoint(description, folder)
    : engine.checkpoint(description, folder, { leaveMemory, rounds }));
  progress.checkpoint = checkpoint;
  const { frozenAt, imagesPath, processes } = await checkpoint.dumped();
  progress.frozenAt = frozenAt;
  if (pages !== null && checkpoint.memory !== undefined) pages.begin(await checkpoint.memory.pids());

  await rendezvous.meet("frozen");
  await enter(surroundings, held, "transfer");
  const [changed] = await Promise.all([
    syncFrozen(surroundings, held, checkpoint, trees),
    isCold || sendMemory(surroundings, held, imagesPath),
    engine.silence(description),
  ]);

  await enter(surroundings, held, "restore");
  const { timeline, sinceResumedSeconds } = await peer.restore(record.id, {
    epoch: record.epoch,
    processes,
    isCold,
    rootChanged: changed.has(ROOT_TREE),
  });
  const blackoutSeconds = monotonicSeconds() - frozenAt - sinceResumedSeconds;
  held.log.info({ blackoutSeconds, expectedSeconds: choice.blackoutSeconds, timeline }, "resumed");
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

/** The twin runs: wait for its memory, destroy the source, give the twin its restart policy, forget the images. Each step is safe to repeat. */
async function finishCommitted(surroundings: Surroundings, held: Held, progress: Progress): Promise<Closing> {
  const { description, checkpoint } = progress;
  const following =
    progress.leavesMemory && description !== null ? await awaitPages(surroundings, held, { description, checkpoint }) : "arrived";
  await progress.checkpoint?.kill();
  progress.checkpoint = null;
  await enter(surroundings, held, "cleanup");
  await held.peer.finish(held.record.id);
  if (description !== null) await surroundings.engine.removeSource(description);
  await stopPageSource(sourceFolder(surroundings, held.record.id));
  await removeFolder(sourceFolder(surroundings, held.record.id));
  await forgetDescription(surroundings, held.record.id);
  return closingAfter(following, held.record);
}

/** Ends a migration that met an error, as the record says: exactly one of abort and commit has won. */
async function settle(surroundings: Surroundings, held: Held, progress: Progress, cause: EvenkeelError): Promise<void> {
  const { redis, keys, log } = surroundings;
  const { record } = held;
  let outcome = await abortMigration(redis, keys, record.id, nowSeconds(), cause.message);
  if (outcome === "committed") outcome = await awaitTwin(surroundings, held);
  if (outcome === "committed") {
    const closing = await finishCommitted(surroundings, held, progress);
    await closeMigration(redis, keys, record, nowSeconds(), closing);
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
  await stopPageSource(sourceFolder(surroundings, held.record.id));
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
    const status = await held.peer.status(held.record.id).catch((): IncomingStatus => ({ state: "restoring", pages: null }));
    if (status.state === "running") return "committed";
    const record = await readMigration(redis, keys, held.record.id);
    if (record?.outcome === "aborted") return "aborted";
    await new Promise((resolve) => setTimeout(resolve, STATUS_INTERVAL_SECONDS * 1000));
  }
}
