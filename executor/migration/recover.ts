import { nowSeconds } from "../../platform/clock.js";
import { asEvenkeelError } from "../../platform/errors.js";
import { abortMigration, advanceMigration, closeMigration, type MigrationRecord } from "../../platform/migration-record.js";
import { stopPageSource } from "../pages/start-page-source.js";
import { removeFolder } from "../remove-folder.js";
import { askWhetherLost, awaitPages, closingAfter } from "./follow.js";
import { type KeepingEnded, keepEnded } from "./keep-ended.js";
import { forgetDescription, readKeptDescription } from "./kept-description.js";
import { type Surroundings, sourceFolder } from "./migration.js";
import { keepReservation } from "./reserve.js";
import { awaitTwin, removeSource, withdrawCopy } from "./settle.js";

/**
 * Takes up a migration that an earlier executor of this node left in the middle. Before the commit the source wins; after it the
 * destination does. Either way the record ends closed and one copy runs. It may be closed already: this node was forgotten while it was away.
 */
export async function recoverMigration(surroundings: Surroundings, record: MigrationRecord): Promise<void> {
  const { engine, redis, keys } = surroundings;
  const log = surroundings.log.child({ migration: record.id, workload: record.name });
  const folder = sourceFolder(surroundings, record.id);
  // First: a source that was aborted needs nobody to go on.
  let outcome = await abortMigration(redis, keys, record.id, nowSeconds(), "the source's executor stopped");
  const peer = await surroundings.connect(record.to).catch((error: unknown) => {
    if (outcome === "committed") throw error;
    return null;
  });
  const reservation = keepReservation(surroundings, record);
  const ended: KeepingEnded[] = [];
  let isOver = false;
  const stopEnding = () => {
    isOver = true;
    return Promise.all(ended.map((keeping) => keeping.close()));
  };
  try {
    const description = await readKeptDescription(surroundings, record.id);
    const checkpoint = await engine.resumeCheckpoint(folder);
    if (checkpoint === null) {
      // With CRIU gone too it may have been let go; its copy counts.
      if (outcome === "committed" && description !== null) {
        const keeping = keepEnded(engine, description, log);
        ended.push(keeping);
        // Before anything lets it be heard again.
        await keeping.first;
      }
      await engine.dismissHolder(folder);
    }
    // The same should it go while we wait for word of the copy.
    checkpoint?.letGo.then(() => {
      if (isOver || outcome !== "committed" || description === null) return;
      log.error("what held the workload ended after the commit: ending the workload here");
      ended.push(keepEnded(engine, description, log));
    });
    // From "resume" on the destination has said that the twin runs; it may have forgotten the migration since.
    const isClosed = record.closedAt !== null;
    // Of a closed one the workload may have been moved on: then it has run where this migration took it.
    const owner = isClosed ? await redis.hget(keys.owners, record.workload) : null;
    const heard = record.stage === "resume" || record.stage === "cleanup" || (owner !== null && owner !== record.to);
    if (outcome === "committed" && !heard) {
      outcome = await awaitTwin(surroundings, { record, peer: peer! });
      // Before anything is done that a revert could not take back; of a closed one nothing can be.
      if (outcome === "committed" && !isClosed)
        await advanceMigration(redis, keys, nowSeconds(), { id: record.id, epoch: record.epoch, stage: "resume" });
    }
    log.warn({ outcome, stage: record.stage, frozen: checkpoint !== null }, "taking up an interrupted migration");
    if (outcome === "committed" && peer !== null) {
      // Of a closed one the destination has made what it could without us.
      const following =
        record.modeUsed === "postcopy" && description !== null && !isClosed
          ? await awaitPages(surroundings, { record, peer, bytes: { ...record.bytes }, log }, { description, checkpoint })
          : await askWhetherLost(peer, record.id);
      await checkpoint?.kill();
      // Should it be back here by now, its volumes and folders are in use again.
      if (description !== null && owner !== record.from) await removeSource(surroundings, { log }, description);
      await peer.finish(record.id).catch((error: unknown) => {
        if (asEvenkeelError(error).code !== "MIGRATION_NOT_FOUND") throw error;
        log.warn("the destination had finished already");
      });
      await closeMigration(redis, keys, record, nowSeconds(), closingAfter(following, record));
    } else {
      await stopEnding();
      await checkpoint?.goOn();
      if (description !== null) {
        if (!(await engine.revive(description, { wasLetGo: await engine.wasLetGo(folder) })))
          log.error("the workload died in its checkpoint and was started anew, without its memory");
        await engine.releaseRestarts(description);
      }
      await withdrawCopy(surroundings, { record, log }, peer, description);
      await closeMigration(redis, keys, record, nowSeconds(), {
        result: "failed",
        errorCode: "INTERRUPTED",
        errorMessage: `the executor of ${record.from} stopped in stage ${record.stage}`,
      });
    }
    await stopPageSource(folder);
    await removeFolder(folder);
    await forgetDescription(surroundings, record.id);
  } finally {
    await stopEnding();
    reservation.close();
    peer?.close();
  }
}
