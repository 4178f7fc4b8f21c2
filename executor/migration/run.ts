import { mkdir } from "node:fs/promises";
import { nowSeconds } from "../../platform/clock.js";
import { collectGarbage } from "../../platform/collect-garbage.js";
import { asEvenkeelError, EvenkeelError } from "../../platform/errors.js";
import { blockersAmong, type Finding, finding } from "../../platform/findings.js";
import { closeMigration, type MigrationRecord, readMigration } from "../../platform/migration-record.js";
import { monotonicSeconds } from "../channel/events.js";
import { LOG_TREE } from "../engine/engine.js";
import { startPageSource } from "../pages/start-page-source.js";
import { type FrozenProcess, takeAlong } from "../pages/take-along.js";
import { preflight } from "../preflight/preflight.js";
import { assertUnchanged } from "./assert-unchanged.js";
import { filesAndMemory, kindOf, noteBlackout, type Stood } from "./blackout-model.js";
import { chooseFor, forecastOf } from "./choose-mode.js";
import { companyFindings, ownersAmong, readCompany } from "./company.js";
import { confirmImages } from "./confirm-images.js";
import { isAsBefore, lookWhenStill, syncFrozen, syncWhileRunning } from "./files.js";
import { pageOrders, sharePace } from "./follow.js";
import { assertForkedFits } from "./forked-memory.js";
import { CRIU_ALONE, goesCold } from "./goes-cold.js";
import { guardFrozen } from "./guard-frozen.js";
import { holdPackets } from "./hold-packets.js";
import { keepDescription } from "./kept-description.js";
import { enter, type Held, type Surroundings, sourceFolder, startLiveProgress } from "./migration.js";
import { MODES } from "./modes.js";
import { decideCompression } from "./outlet.js";
import { ALONE, type Rendezvous } from "./rendezvous.js";
import { keepReservation, reserveRoom } from "./reserve.js";
import { bringImage, sendMemory, sendSmall } from "./send.js";
import { finishCommitted, type Progress, settle } from "./settle.js";
import { type RecordWatch, watchRecord } from "./watch-record.js";
import { withRetries } from "./with-retries.js";

/** Files that were synchronised longer ago than this are synchronised again before the freeze. */
const STALE_SECONDS = 2;

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
    restored: null,
    wasLetGo: false,
    guard: null,
  };
  const counts = { record, bytes: {}, carried: {} };
  const peer = await surroundings.connect(record.to);
  const held: Held = {
    ...counts,
    peer,
    live: startLiveProgress(surroundings, counts),
    outlet: { compresses: false, leastFrozenBytes: Number.POSITIVE_INFINITY },
    log,
  };
  const watch = watchRecord(surroundings, held);
  const reservation = keepReservation(surroundings, record);
  try {
    const stood = await carryOver(surroundings, held, progress, rendezvous, watch).catch(async (error: unknown) => {
      watch.close();
      // What is still under way beside what failed has nowhere to go; a restore's own answer is waited for.
      if (progress.restored === null) peer.breakOff(asEvenkeelError(error));
      // What was broken off says nothing of why.
      const known = asEvenkeelError((watch.cause() === null ? null : (rendezvous.failure() ?? watch.cause())) ?? error);
      rendezvous.leave(new EvenkeelError("CANCELLED", `${record.name}, which moves as one with it, failed: ${known.message}`));
      log.error({ code: known.code, detail: known.detail, stack: known.code === "INTERNAL" ? known.stack : undefined }, "migration failed");
      await settle(surroundings, held, progress, known);
      return null;
    });
    watch.close();
    if (stood !== null) {
      // From here on the twin runs. What fails now leaves the record open in this stage, and the worker takes it up again.
      await enter(surroundings, held, "resume", { blackoutSeconds: stood.blackoutSeconds, restoreSteps: progress.restoreSteps });
      await noteBlackout(surroundings, record.to, stood);
      const closing = await finishCommitted(surroundings, held, progress);
      await closeMigration(redis, keys, record, nowSeconds(), closing);
    }
  } finally {
    await progress.guard?.close();
    reservation.close();
    surroundings.room.release(record.id);
    held.live.close();
    held.peer.close();
  }
  return (await readMigration(redis, keys, record.id)) ?? record;
}

/** Everything up to the resumed twin. */
async function carryOver(
  surroundings: Surroundings,
  held: Held,
  progress: Progress,
  rendezvous: Rendezvous,
  watch: RecordWatch,
): Promise<Stood> {
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
  const company = await readCompany(surroundings, record);
  // Only a mode that was asked for can be chosen without being had.
  const lazy = leaveMemory && choice.whyNot !== null ? [finding("memory-stays", choice.whyNot)] : [];
  const findings = isCold ? asked.findings.filter(({ code }) => !CRIU_ALONE.has(code)) : asked.findings;
  await assertClear(surroundings, held, [...lazy, ...companyFindings(description, company, isCold), ...findings]);

  await enter(surroundings, held, "reserve", {
    modeUsed: choice.mode,
    modeBecause: choice.because,
    predictedBlackoutSeconds: choice.blackoutSeconds,
    forecast: forecastOf(choice),
  });
  await reserveRoom(surroundings, held, asked.memoryBytes);

  await enter(surroundings, held, "prepare");
  await decideCompression(surroundings, held, hasZstd);
  if (!hasImage) {
    await withRetries(surroundings, held, () => bringImage(surroundings, held, asked));
  }
  const owners = ownersAmong(company, description);
  for (const owner of Object.values(owners)) if (owner !== null) await rendezvous.noted(`twin of ${owner}`);
  const twin = await withRetries(surroundings, held, () => peer.makeTwin(record.id, { leaveMemory, owners }));
  rendezvous.note(`twin of ${record.id}`);
  const folder = sourceFolder(surroundings, record.id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (twin.pagePort !== null) await sharePace(surroundings, folder);
  const pages = twin.pagePort === null ? null : startPageSource(folder, pageOrders(surroundings, held, twin.pagePort));
  let trees = await syncWhileRunning(surroundings, held, { description, twin, fileBytes: needs.rootBytes + needs.volumeBytes });
  const syncedAt = monotonicSeconds();
  await rendezvous.meet("synced");
  // What it wrote while it waited for the slowest of its group is not to be carried in the freeze.
  if (monotonicSeconds() - syncedAt > STALE_SECONDS) {
    trees = await syncWhileRunning(surroundings, held, { description, twin, fileBytes: null, before: trees });
  }
  const rounds = await MODES[choice.mode].ahead(surroundings, held, asked, async () => {
    await pages?.connected();
    // A start that has begun knows nothing of what is printed afterwards, and would have to be begun again.
    if (!isCold && (await isAsBefore(trees, LOG_TREE))) await peer.begin(record.id);
  });

  // Not after they have met: others of its group may be frozen then.
  if (!isCold) collectGarbage();
  await rendezvous.meet("ready");
  await assertUnchanged(surroundings, description);
  await enter(surroundings, held, "freeze");
  const sentBefore = filesAndMemory(held.bytes);
  await keepDescription(surroundings, record.id, description);
  progress.restartsHeld = true;
  await engine.holdRestarts(description);
  const still = lookWhenStill(trees);
  const steer = isCold ? async () => {} : await holdPackets(held);
  const onStill = async () => {
    still.onStill();
    await steer();
    // In a network that they share, what comes until the last has drawn its traffic away still reaches a socket that moves.
    await rendezvous.meet("still");
  };
  let sentSmall: Promise<boolean> | null = null;
  const onReadable = (processes: readonly FrozenProcess[]) => {
    if (twin.takesAlong) sentSmall = sendSmall(surroundings, held, `${folder}/small`, processes);
  };
  const checkpoint = await (isCold
    ? engine.coldCheckpoint(description, folder)
    : engine.checkpoint(description, folder, { leaveMemory, plainTars: twin.takesPlainTars, rounds, onStill, onReadable }));
  progress.checkpoint = checkpoint;
  if (isCold) await rendezvous.meet("still");
  const dump = await checkpoint.dumped();
  const stopSeconds = isCold ? monotonicSeconds() - dump.frozenAt : 0;
  progress.guard = guardFrozen(surroundings, held, { description, checkpoint, watch, progress });
  const { frozenAt, imagesPath, processes, neighbours } = dump;
  progress.frozenAt = frozenAt;
  let forkedFits: Promise<void> | null = null;
  if (pages !== null && checkpoint.memory !== undefined) {
    const pids = await checkpoint.memory.pids();
    pages.begin(pids);
    if (twin.takesAlong && !(await sentSmall)) await takeAlong(imagesPath, pids);
    forkedFits = assertForkedFits(imagesPath, Object.values(pids), asked.forkedRoomBytes);
    forkedFits.catch(() => {});
  }

  await rendezvous.meet("frozen");
  const [, changed] = await Promise.all([
    enter(surroundings, held, "transfer"),
    still.asBefore(dump).then((asBefore) => syncFrozen(surroundings, held, checkpoint, trees, asBefore)),
    isCold || sendMemory(surroundings, held, imagesPath),
    forkedFits,
  ]);

  // A joiner's restore waits for its owner's, which begins when the owner's memory has been sent.
  await rendezvous.meet("sent");
  await enter(surroundings, held, "restore", { unconfirmed: dump.confirmed === undefined ? null : 1 });
  watch.breakNothingOff();
  const answer = peer.restore(record.id, {
    epoch: record.epoch,
    processes,
    neighbours,
    isCold,
    changedTrees: [...changed],
  });
  progress.restored = answer.then(
    () => null,
    (error: unknown) => asEvenkeelError(error),
  );
  const confirmed = dump.confirmed?.then(() => confirmImages(surroundings, held, answer));
  const [{ timeline, sinceResumedSeconds }] = await Promise.race([Promise.all([answer, confirmed]), watch.aborted]);
  const blackoutSeconds = monotonicSeconds() - frozenAt - sinceResumedSeconds;
  held.log.info({ blackoutSeconds, expectedSeconds: choice.blackoutSeconds, timeline }, "resumed");
  progress.restoreSteps = timeline;
  return { kind: kindOf(record, isCold), blackoutSeconds, stopSeconds, frozenBytes: filesAndMemory(held.bytes) - sentBefore };
}

/** Writes what stands in the way into the record, where the scheduler learns from it. @throws PREFLIGHT_BLOCKED */
async function assertClear(surroundings: Surroundings, held: Held, findings: readonly Finding[]): Promise<void> {
  const blockers = blockersAmong(findings);
  if (blockers.length === 0) return;
  await enter(surroundings, held, "preflight", { blockers });
  const words = blockers.map(({ code, message, hint }) => `${code}: ${message}. ${hint}`).join(" ");
  throw new EvenkeelError("PREFLIGHT_BLOCKED", words, { facts: { blockers } });
}
