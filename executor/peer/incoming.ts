import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { Duplex, Readable } from "node:stream";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { asEvenkeelError, EvenkeelError } from "../../platform/errors.js";
import type { Finding } from "../../platform/findings.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { abortMigration, commitMigration, readMigration, revertMigration } from "../../platform/migration-record.js";
import { monotonicSeconds } from "../channel/events.js";
import { unpackImages } from "../channel/image-stream.js";
import { hasZstd } from "../channel/zstd.js";
import type { FileTree, TargetEngine, WorkloadDescription } from "../engine/engine.js";
import type { ImageRoom } from "../image-room.js";
import { linkFinal, linkRound, makeRoundFolder } from "../image-rounds.js";
import type { Introduction, NodeProbe } from "../preflight/node-probe.js";
import { removeFolder } from "../remove-folder.js";
import type { Arrivals } from "./arrivals.js";
import type {
  HoldAnswer,
  IncomingStatus,
  Offer,
  OfferAnswer,
  RestoreAnswer,
  RestoreRequest,
  RoomAnswer,
  TwinAnswer,
  TwinRequest,
} from "./protocol.js";
import { serveRsync, writeRsyncConfig } from "./rsync-server.js";

export interface Incoming {
  authorise(id: string, caller: string): Promise<void>;
  /** What would keep this node from taking the workload. Changes nothing. */
  judge(offer: Offer): Promise<OfferAnswer>;
  compare(introduction: Introduction): Promise<{ readonly findings: readonly Finding[] }>;
  offer(id: string, offer: Offer): Promise<OfferAnswer>;
  pull(id: string): Promise<{ isHere: boolean }>;
  image(id: string, stream: Readable): Promise<Record<string, never>>;
  makeTwin(id: string, request: TwinRequest): Promise<TwinAnswer>;
  files(id: string, socket: Duplex): void;
  hold(id: string): Promise<HoldAnswer>;
  steer(id: string): Promise<Record<string, never>>;
  /** Books room for images, in place of what was booked with the offer. */
  bookRoom(id: string, bytes: number): Promise<RoomAnswer>;
  /** The images of a round of pre-copy. */
  round(id: string, round: number, images: Readable): Promise<Record<string, never>>;
  memory(id: string, images: Readable): Promise<Record<string, never>>;
  /** As much of the restore as can be done before the freeze. */
  begin(id: string): Promise<Record<string, never>>;
  restore(id: string, request: RestoreRequest): Promise<RestoreAnswer>;
  /** Its missing memory is lost. The description, for an executor that has lost its half too. */
  startAnew(id: string, description: WorkloadDescription): Promise<Record<string, never>>;
  finish(id: string): Promise<Record<string, never>>;
  remove(id: string): Promise<Record<string, never>>;
  status(id: string): Promise<IncomingStatus>;
  /** Ends a committed restore that an earlier executor began, or gives it back. */
  resume(id: string): Promise<void>;
  /** Starts a committed copy anew that this node lost with its power, once its source cannot give it back. */
  startLost(id: string): Promise<void>;
  /** Removes twins of migrations that ended at the source, of which a power cut has left no half here. */
  removeStrays(): Promise<void>;
  /** True while a call for this migration is being carried out. */
  isBusy(id: string): boolean;
  /** Ids of the migrations this node has a half of, from before a restart too. */
  known(): Promise<string[]>;
}

/** What survives a restart of the executor, as JSON beside the images. */
interface Half {
  readonly description: WorkloadDescription;
  readonly containerId: string | null;
  readonly trees: readonly FileTree[];
  readonly state: IncomingStatus["state"];
  readonly isCold?: boolean;
  /** Where memory that follows after the commit is expected; null = none follows. */
  readonly pagePort: number | null;
  /** Its memory was lost after the commit, and it was started without. */
  readonly startedAnew?: boolean;
}

interface Needs {
  readonly node: string;
  readonly runDirectory: string;
  readonly arrivals: Arrivals;
  readonly engine: TargetEngine;
  readonly room: ImageRoom;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  readonly probe: NodeProbe;
}

const EMPTY = {};

/** The destination's half of each migration that comes in. */
export function makeIncoming({ node, runDirectory, arrivals, engine, room, redis, keys, log, probe }: Needs): Incoming {
  const home = `${runDirectory}/incoming`;
  const pendingFolder = (containerId: string) => `${runDirectory}/in/${containerId}`;

  async function read(id: string): Promise<Half | null> {
    const text = await readFile(`${home}/${id}/half.json`, "utf8").catch(() => null);
    return text === null ? null : (JSON.parse(text) as Half);
  }

  async function need(id: string): Promise<Half & { containerId: string }> {
    const half = await read(id);
    if (half?.containerId == null) throw new EvenkeelError("MIGRATION_NOT_FOUND", `${id}: no twin was made on ${node}`);
    return { ...half, containerId: half.containerId };
  }

  async function write(id: string, half: Half): Promise<void> {
    await mkdir(`${home}/${id}`, { recursive: true, mode: 0o700 });
    await writeFile(`${home}/${id}/half.json`, JSON.stringify(half), { mode: 0o600 });
  }

  /** Notes that the copy runs; from then on the runtime starts the container as any other, should somebody restart it before the migration is finished. */
  async function noteRunning(id: string, half: Half & { containerId: string }): Promise<void> {
    await write(id, { ...half, state: "running" });
    await rm(`${pendingFolder(half.containerId)}/events`, { force: true });
    // Of a copy whose memory follows it, the source knows better what is lost.
    if (half.pagePort === null) await arrivals.keep(id, half.description);
  }

  /** Gives the workload back to its source: our copy is gone for certain, so the frozen one is the only one. */
  async function giveUp(id: string, half: Half & { containerId: string }): Promise<void> {
    await engine.remove(half.containerId, pendingFolder(half.containerId));
    await write(id, { ...half, state: "failed" });
    const record = await readMigration(redis, keys, id);
    if (record?.outcome === "committed") await revertMigration(redis, keys, id, record.epoch, nowSeconds());
  }

  /** Books the room for a migration; null = only asks. */
  async function judge(id: string | null, { description, introduction, needs, memoryBytes }: Offer): Promise<OfferAnswer> {
    const [own, pair, short, hasImage, whyNotLazy] = await Promise.all([
      engine.findings(description, needs),
      probe.compare(introduction),
      room.claim(id, memoryBytes),
      engine.hasImage(description.imageId),
      engine.whyNotLazy(),
    ]);
    return { findings: [...own, ...pair, ...short], hasImage, hasZstd: await hasZstd(), whyNotLazy };
  }

  const answer = (containerId: string, trees: readonly FileTree[], pagePort: number | null): TwinAnswer => ({
    containerId,
    pagePort,
    trees: trees.map((tree) => ({ name: tree.name, file: tree.file ?? null })),
  });

  type Outside = "judge" | "compare" | "isBusy" | "known" | "authorise" | "files" | "status" | "steer" | "startLost" | "removeStrays";
  const steps: Omit<Incoming, Outside> = {
    async offer(id, offer) {
      await write(id, { description: offer.description, containerId: null, trees: [], state: "preparing", pagePort: null });
      return judge(id, offer);
    },

    async pull(id) {
      const half = await read(id);
      if (half === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", id);
      return { isHere: await engine.pullImage(half.description) };
    },

    async image(id, stream) {
      const half = await read(id);
      if (half === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", id);
      await engine.loadImage(stream, half.description.imageName, half.description.imageId);
      return EMPTY;
    },

    async makeTwin(id, { leaveMemory }) {
      const half = await read(id);
      if (half === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", id);
      // Asked again after the answer was lost: the same twin, or none of the half-made one.
      if (half.containerId !== null) return answer(half.containerId, half.trees, half.pagePort);
      const left = await engine.findTwin(id);
      if (left !== null) await engine.remove(left.containerId, pendingFolder(left.containerId));
      const twin = await engine.create(half.description, id);
      const folder = pendingFolder(twin.containerId);
      await engine.prepareRestore(half.description, twin.containerId, folder);
      await writeRsyncConfig(`${home}/${id}/rsyncd.conf`, twin.trees);
      const from = leaveMemory ? (await readMigration(redis, keys, id))?.from : undefined;
      const pagePort = from === undefined ? null : await engine.openPages(twin.containerId, folder, { node: from, migration: id });
      await write(id, { ...half, containerId: twin.containerId, trees: twin.trees, pagePort });
      return answer(twin.containerId, twin.trees, pagePort);
    },

    async hold(id) {
      const { description, containerId } = await need(id);
      return { holds: await engine.hold(description, containerId, pendingFolder(containerId)) };
    },

    async memory(id, images) {
      const { containerId } = await need(id);
      const imagesPath = `${pendingFolder(containerId)}/images`;
      await unpackImages(images, imagesPath);
      await linkFinal(imagesPath);
      return EMPTY;
    },

    async bookRoom(id, bytes) {
      return { findings: await room.claim(id, bytes) };
    },

    async round(id, round, images) {
      const { containerId } = await need(id);
      const imagesPath = `${pendingFolder(containerId)}/images`;
      await unpackImages(images, await makeRoundFolder(imagesPath, round));
      await linkRound(imagesPath, round);
      return EMPTY;
    },

    async begin(id) {
      const { containerId } = await need(id);
      await engine.beginRestore(containerId, pendingFolder(containerId));
      return EMPTY;
    },

    async restore(id, { epoch, processes, isCold, rootChanged, logChanged }) {
      const half = await need(id);
      await write(id, { ...half, state: "restoring", isCold });
      const commit = () => commitMigration(redis, keys, id, epoch, nowSeconds());
      try {
        const folder = pendingFolder(half.containerId);
        const done = isCold
          ? await engine.startCold(half.containerId, folder, commit)
          : await engine.restore(half.containerId, folder, { processes, rootChanged, logChanged, commit });
        await noteRunning(id, half);
        return { timeline: done.timeline, sinceResumedSeconds: monotonicSeconds() - done.resumedAt };
      } catch (error) {
        const known = asEvenkeelError(error, "RESTORE_FAILED");
        log.error({ migration: id, code: known.code, detail: known.detail }, "restore failed");
        await giveUp(id, half);
        throw known;
      }
    },

    async resume(id) {
      const half = await need(id);
      if (half.state === "running") {
        await rm(`${pendingFolder(half.containerId)}/events`, { force: true });
        const pages = half.pagePort !== null ? await engine.pages(pendingFolder(half.containerId)) : null;
        if (pages?.state === "lost" || half.startedAnew) await steps.startAnew(id, half.description);
        return;
      }
      try {
        if (half.state !== "restoring") throw new EvenkeelError("RESTORE_FAILED", `the copy is ${half.state}`);
        const folder = pendingFolder(half.containerId);
        // Asked for only once it is committed.
        if (half.isCold) await engine.startCold(half.containerId, folder, async () => true);
        else await engine.resumeRestore(half.containerId, folder);
        await noteRunning(id, half);
      } catch (error) {
        log.error({ migration: id, error: String(error) }, "a committed copy could not be resumed");
        await giveUp(id, half);
      }
    },

    async startAnew(id, description) {
      const half = await read(id);
      const containerId = half?.containerId ?? (await engine.findTwin(id))?.containerId ?? null;
      if (containerId === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", `${id}: no copy is on ${node}`);
      const folder = pendingFolder(containerId);
      if (half?.startedAnew === true && !existsSync(folder) && (await engine.findTwin(id))?.isRunning) return EMPTY;
      log.error({ migration: id }, "the rest of a workload's memory is lost; starting it anew");
      // First, so that nobody takes a copy without its folder for one that has all of its memory.
      if (half !== null) await write(id, { ...half, startedAnew: true });
      await engine.startAnew(description, containerId, folder);
      return EMPTY;
    },

    async finish(id) {
      const half = await need(id);
      await engine.finish(half.description, half.containerId, pendingFolder(half.containerId));
      await removeFolder(pendingFolder(half.containerId));
      await rm(`${home}/${id}`, { recursive: true, force: true });
      await arrivals.forget(id);
      room.release(id);
      return EMPTY;
    },

    async remove(id) {
      const record = await readMigration(redis, keys, id);
      const half = await read(id);
      if (record?.outcome === "committed" || half?.state === "running") {
        throw new EvenkeelError("FENCED", `${id}: the copy on ${node} is the one that counts`);
      }
      // The executor may have died between making the twin and writing its id down; the twin's label tells.
      const containerId = half?.containerId ?? (await engine.findTwin(id))?.containerId ?? null;
      if (containerId !== null) {
        await engine.remove(containerId, pendingFolder(containerId));
        await removeFolder(pendingFolder(containerId));
      }
      await rm(`${home}/${id}`, { recursive: true, force: true });
      room.release(id);
      return EMPTY;
    },
  };

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
    if (description === null || (await read(id)) !== null) return;
    const record = await readMigration(redis, keys, id);
    // Up to "restore" the source still holds the frozen one, and asks us (stateWithoutHalf).
    if (record?.outcome === "committed" && record.stage === "restore" && record.closedAt === null) return;
    const twin = await engine.findTwin(id);
    // One that runs has got its restart policy back before the power went.
    if (record?.outcome !== "aborted" && twin?.isRunning === false) await steps.startAnew(id, description);
    await arrivals.forget(id);
  }

  async function removeStrays(): Promise<void> {
    const known: string[] = await readdir(home).catch(() => []);
    for (const id of await engine.stoppedTwins()) {
      if (known.includes(id) || queues.has(id)) continue;
      // A copy that counts came by a migration that was committed, and that never changes.
      if ((await abortMigration(redis, keys, id, nowSeconds(), `${node} lost its half`)) !== "aborted") continue;
      log.warn({ migration: id }, "removing the twin of a migration that ended at its source");
      await inTurn(id, () => steps.remove(id));
    }
  }

  const queues = new Map<string, Promise<unknown>>();
  /** One step of a migration at a time: a removal asked for during a restore waits for its end. */
  function inTurn<T>(id: string, step: () => Promise<T>): Promise<T> {
    const turn = (queues.get(id) ?? Promise.resolve()).then(step, step);
    queues.set(id, turn);
    const leave = () => {
      if (queues.get(id) === turn) queues.delete(id);
    };
    turn.then(leave, leave);
    return turn;
  }

  const streams = new Map<string, Readable>();
  /** A source sends again only when it has given up the last stream; what still waits for that one's bytes must make way. */
  function afterNewest<T>(id: string, stream: Readable, step: () => Promise<T>): Promise<T> {
    streams.get(id)?.destroy(new EvenkeelError("TRANSFER_FAILED", "the source has begun anew"));
    streams.set(id, stream);
    return inTurn(id, step).finally(() => {
      if (streams.get(id) === stream) streams.delete(id);
    });
  }

  return {
    async authorise(id, caller) {
      const record = await readMigration(redis, keys, id);
      if (record === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", id);
      if (record.to !== node || record.from !== caller) {
        throw new EvenkeelError("PEER_UNAUTHENTICATED", `${caller} may not speak for migration ${id} (${record.from} -> ${record.to})`);
      }
    },
    // Beside the memory, not after it: both belong to the freeze.
    files: (id, socket) => serveRsync(`${home}/${id}/rsyncd.conf`, socket, log),
    // The source's threads stand still until this has its answer.
    steer: async (id) => {
      engine.steer((await need(id)).containerId);
      return EMPTY;
    },
    async status(id) {
      const half = await read(id);
      if (half === null) return { state: await inTurn(id, () => stateWithoutHalf(id)), pages: null };
      const folder = half.pagePort !== null && half.containerId !== null ? pendingFolder(half.containerId) : null;
      const lost = { state: "lost", port: 0, doneBytes: 0, totalBytes: 0 } as const;
      return { state: half.state, pages: half.startedAnew ? lost : folder === null ? null : await engine.pages(folder) };
    },
    judge: (offer) => judge(null, offer),
    compare: async (introduction) => ({ findings: await probe.compare(introduction) }),
    isBusy: (id) => queues.has(id),
    known: () => readdir(home).catch(() => []),
    offer: (id, offer) => inTurn(id, () => steps.offer(id, offer)),
    pull: (id) => inTurn(id, () => steps.pull(id)),
    image: (id, stream) => afterNewest(id, stream, () => steps.image(id, stream)),
    makeTwin: (id, request) => inTurn(id, () => steps.makeTwin(id, request)),
    hold: (id) => inTurn(id, () => steps.hold(id)),
    memory: (id, images) => afterNewest(id, images, () => steps.memory(id, images)),
    bookRoom: (id, bytes) => inTurn(id, () => steps.bookRoom(id, bytes)),
    round: (id, round, images) => afterNewest(id, images, () => steps.round(id, round, images)),
    begin: (id) => inTurn(id, () => steps.begin(id)),
    restore: (id, request) => inTurn(id, () => steps.restore(id, request)),
    startAnew: (id, description) => inTurn(id, () => steps.startAnew(id, description)),
    finish: (id) => inTurn(id, () => steps.finish(id)),
    remove: (id) => inTurn(id, () => steps.remove(id)),
    resume: (id) => inTurn(id, () => steps.resume(id)),
    startLost: (id) => inTurn(id, () => startLost(id)),
    removeStrays,
  };
}
