import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { abortMigration, readMigration, revertMigration } from "../../platform/migration-record.js";
import type { TargetEngine, WorkloadDescription } from "../engine/engine.js";
import type { Arrivals } from "./arrivals.js";
import type { HalfWithTwin, Halves } from "./halves.js";
import type { IncomingStatus } from "./protocol.js";

interface Needs {
  readonly node: string;
  readonly arrivals: Arrivals;
  readonly halves: Halves;
  readonly engine: TargetEngine;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
}

export type Settling = ReturnType<typeof makeSettling>;

/** How the destination's half of a migration ends when it does not end by itself: what is done is decided by the record, Docker and what is left here. */
export function makeSettling({ node, arrivals, halves, engine, redis, keys, log }: Needs) {
  const { pendingFolder } = halves;
  /** From then on the runtime starts the container as any other, should somebody restart it before the migration is finished. */
  const endPending = (containerId: string) => rm(`${pendingFolder(containerId)}/events`, { force: true });

  /** Notes that the copy runs. */
  async function noteRunning(id: string, half: HalfWithTwin): Promise<void> {
    await halves.write(id, { ...half, state: "running" });
    await endPending(half.containerId);
    // Of a copy whose memory follows it, the source knows better what is lost.
    if (half.pagePort === null) await arrivals.keep(id, half.description);
  }

  /** Gives the workload back to its source, as our copy has not run and is gone for certain. One that has run counts: it is started anew. */
  async function giveUp(id: string, half: HalfWithTwin): Promise<void> {
    if (engine.hasRun(pendingFolder(half.containerId))) {
      // Written first, since Docker may be away: then it is tried again (tidy-incoming.ts, finish).
      await halves.write(id, { ...half, state: "running", startedAnew: true });
      return startAnew(id, half.description);
    }
    // First, so that others that move as one with it cannot commit it while its copy is being removed. A committed one stays so.
    await abortMigration(redis, keys, id, nowSeconds(), `the copy on ${node} failed`).catch((error: unknown) => {
      log.warn({ migration: id, error: String(error) }, "cannot tell Redis that a copy failed; removing it all the same");
    });
    await engine.remove(half.containerId, pendingFolder(half.containerId));
    await halves.write(id, { ...half, state: "failed" });
    const record = await readMigration(redis, keys, id);
    if (record?.outcome === "committed") await revertMigration(redis, keys, id, record.epoch, nowSeconds());
  }

  async function startAnew(id: string, description: WorkloadDescription): Promise<void> {
    const half = await halves.find(id);
    const containerId = half?.containerId ?? (await engine.findTwin(id))?.containerId ?? null;
    if (containerId === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", `${id}: no copy is on ${node}`);
    const folder = pendingFolder(containerId);
    if (half?.startedAnew === true && !existsSync(folder) && (await engine.findTwin(id))?.isRunning) return;
    log.error({ migration: id }, "the rest of a workload's memory is lost; starting it anew");
    // First, so that nobody takes a copy without its folder for one that has all of its memory.
    if (half !== null) await halves.write(id, { ...half, startedAnew: true });
    await engine.startAnew(description, containerId, folder);
  }

  async function resume(id: string): Promise<void> {
    const half = await halves.readWithTwin(id);
    const folder = pendingFolder(half.containerId);
    if (half.state === "running") {
      await endPending(half.containerId);
      const pages = half.pagePort !== null ? await engine.pages(folder) : null;
      if (pages?.state === "lost" || half.startedAnew) await startAnew(id, half.description);
      return;
    }
    try {
      if (half.state !== "restoring") throw new EvenkeelError("RESTORE_FAILED", `the copy is ${half.state}`);
      // Asked for only once it is committed.
      if (half.isCold) await engine.startCold(half.containerId, folder, async () => true);
      else await engine.resumeRestore(half.containerId, folder);
      await noteRunning(id, half);
    } catch (error) {
      log.error({ migration: id, error: String(error) }, "a committed copy could not be resumed");
      await giveUp(id, half);
    }
  }

  /** Halves live on tmpfs: after a power cut, or once the migration was finished, only Docker and the record can tell. */
  async function stateWithoutHalf(id: string): Promise<IncomingStatus["state"]> {
    const twin = await engine.findTwin(id);
    if (twin?.isRunning) return "running";
    const record = await readMigration(redis, keys, id);
    // Past "restore" the source knows that the twin ran, and may have destroyed its own copy.
    if (record?.outcome !== "committed" || record.stage !== "restore" || record.closedAt !== null) return "unknown";
    log.error({ migration: id }, "this node lost the copy that it had committed; giving the workload back to its source");
    if (twin !== null) await engine.remove(twin.containerId, pendingFolder(twin.containerId));
    await revertMigration(redis, keys, id, record.epoch, nowSeconds());
    return "failed";
  }

  async function startLost(id: string): Promise<void> {
    const description = await arrivals.read(id);
    if (description === null || (await halves.find(id)) !== null) return;
    const record = await readMigration(redis, keys, id);
    // Up to "restore" the source still holds the frozen one, and asks us (stateWithoutHalf).
    if (record?.outcome === "committed" && record.stage === "restore" && record.closedAt === null) return;
    const twin = await engine.findTwin(id);
    // One that runs has got its restart policy back before the power went.
    if (record?.outcome !== "aborted" && twin?.isRunning === false) await startAnew(id, description);
    await arrivals.forget(id);
  }

  return { noteRunning, giveUp, startAnew, resume, stateWithoutHalf, startLost };
}
