import { rm } from "node:fs/promises";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { abortMigration, readMigration, revertMigration } from "../../platform/migration-record.js";
import type { TargetEngine, WorkloadDescription } from "../engine/engine.js";
import type { Arrivals } from "./arrivals.js";
import type { Half, HalfWithTwin, Halves } from "./halves.js";
import type { IncomingStatus } from "./protocol.js";

/** What is known of a copy whose half was lost with this node's power. */
const ADOPTED = { containerId: null, trees: [], state: "running", pagePort: null } as const;

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

  /** Notes that the copy runs, and lets Docker restart it as it would any other. What of that fails is done by whoever finishes the migration. */
  async function noteRunning(id: string, half: HalfWithTwin): Promise<void> {
    await halves.write(id, { ...half, state: "running" });
    await endPending(half.containerId);
    const later = (error: unknown) => log.warn({ migration: id, error: String(error) }, "the copy runs; noting so is left for later");
    await arrivals.keep(id, { description: half.description, hasRun: true }).catch(later);
    // A copy whose memory follows it must not be started by Docker while some of that is on its way.
    if (half.pagePort === null) await engine.releaseRestarts(half.description, half.containerId).catch(later);
  }

  /** Gives the workload back to its source, as our copy has not run and is gone for certain. One that has run counts: it is started anew. */
  async function giveUp(id: string, half: HalfWithTwin): Promise<void> {
    if (engine.hasRun(pendingFolder(half.containerId))) {
      // Written first, since Docker may be away: then it is tried again (tidy-incoming.ts, finish).
      await halves.write(id, { ...half, state: "running", startedAnew: true });
      await arrivals.keep(id, { description: half.description, hasRun: true });
      await endPending(half.containerId);
      return startAnew(id, half.description);
    }
    // First, so that others that move as one with it cannot commit it while its copy is being removed. A committed one stays so.
    await abortMigration(redis, keys, id, nowSeconds(), `the copy on ${node} failed`).catch((error: unknown) => {
      log.warn({ migration: id, error: String(error) }, "cannot tell Redis that a copy failed; removing it all the same");
    });
    await engine.remove(half.containerId, pendingFolder(half.containerId), half.description);
    await halves.write(id, { ...half, state: "failed" });
    const record = await readMigration(redis, keys, id);
    if (record?.outcome === "committed") await revertMigration(redis, keys, id, record.epoch, nowSeconds());
  }

  async function startAnew(id: string, description: WorkloadDescription): Promise<void> {
    const half = await halves.find(id);
    // Once: what becomes of it then is between Docker and its restart policy.
    if (half?.isStarted) return;
    const containerId = half?.containerId ?? (await engine.findTwin(id))?.containerId ?? null;
    if (containerId === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", `${id}: no copy is on ${node}`);
    log.error({ migration: id }, "the workload's memory is lost; starting it anew");
    // First, so that nobody takes a copy without its folder for one that has all of its memory.
    const lost: Half = { ...(half ?? ADOPTED), description, containerId, state: "running", startedAnew: true };
    await halves.write(id, lost);
    await engine.startAnew(description, containerId, pendingFolder(containerId));
    await halves.write(id, { ...lost, isStarted: true });
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
      if (!half.isCold) await engine.resumeRestore(half.containerId, folder);
      else if (!(await engine.findTwin(id))?.isRunning) await engine.startCold(half.containerId, folder, async () => true);
    } catch (error) {
      log.error({ migration: id, error: String(error) }, "a committed copy could not be resumed");
      return giveUp(id, half);
    }
    await noteRunning(id, half);
  }

  /** Halves live on tmpfs: after a power cut, or once the migration was finished, only Docker, the disk and the record can tell. */
  async function stateWithoutHalf(id: string): Promise<IncomingStatus["state"]> {
    const twin = await engine.findTwin(id);
    const record = await readMigration(redis, keys, id);
    const isOpen = record?.outcome === "committed" && record.closedAt === null;
    // Docker may have started it with the node: that it runs does not mean that it has its memory.
    if (isOpen && twin !== null && (await arrivals.read(id)) !== null) {
      await startLost(id);
      return "running";
    }
    if (twin?.isRunning) return "running";
    if (!isOpen) return "unknown";
    // Past "restore" the source knows that the twin ran, and may have destroyed its own copy.
    if (record.stage !== "restore") return "unknown";
    log.error({ migration: id }, "nothing is left here of a copy that was committed; giving the workload back to its source");
    if (twin !== null) await engine.remove(twin.containerId, pendingFolder(twin.containerId), null);
    await revertMigration(redis, keys, id, record.epoch, nowSeconds());
    return "failed";
  }

  async function startLost(id: string): Promise<void> {
    const arrival = await arrivals.read(id);
    if (arrival === null || (await halves.find(id)) !== null) return;
    const record = await readMigration(redis, keys, id);
    if (record === null ? !arrival.hasRun : record.outcome === "pending") return;
    const twin = await engine.findTwin(id);
    if (record?.outcome === "aborted" || twin === null) return arrivals.forget(id);
    if (!twin.isRunning) return startAnew(id, arrival.description);
    // Docker has started it with the node, by its own restart policy.
    await halves.write(id, { ...ADOPTED, ...arrival, containerId: twin.containerId, startedAnew: true, isStarted: true });
    await engine.releaseRestarts(arrival.description, twin.containerId);
  }

  return { noteRunning, giveUp, startAnew, resume, stateWithoutHalf, startLost };
}
