import { mkdir } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { collectGarbage } from "../../platform/collect-garbage.js";
import { asEvenkeelError, EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { commitMigration, readMigration } from "../../platform/migration-record.js";
import { monotonicSeconds } from "../channel/events.js";
import { unpackImages } from "../channel/image-stream.js";
import { hasZstd } from "../channel/zstd.js";
import { type FileTree, LOG_TREE, type OwnerTwin, type RestoreDone, ROOT_TREE, type TargetEngine } from "../engine/engine.js";
import { flushTrees } from "../flush-trees.js";
import type { ImageRoom } from "../image-room.js";
import { linkFinal, linkRound, makeRoundFolder } from "../image-rounds.js";
import { markSmall } from "../pages/take-along.js";
import type { NodeProbe } from "../preflight/node-probe.js";
import { MOVE_PROTOCOL } from "../protocol.js";
import { removeFolder } from "../remove-folder.js";
import type { Arrivals } from "./arrivals.js";
import { makeClaims } from "./claims.js";
import type { FileStreams } from "./file-streams.js";
import type { Halves } from "./halves.js";
import type { HoldAnswer, Offer, OfferAnswer, RestoreAnswer, RestoreRequest, RoomAnswer, TwinAnswer, TwinRequest } from "./protocol.js";
import { writeRsyncConfig } from "./rsync-server.js";
import type { Settling } from "./settle-half.js";

interface Needs {
  readonly node: string;
  readonly arrivals: Arrivals;
  readonly halves: Halves;
  readonly streams: FileStreams;
  readonly settling: Settling;
  readonly engine: TargetEngine;
  readonly room: ImageRoom;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  readonly probe: NodeProbe;
}

const EMPTY: Record<string, never> = {};

/** What the destination does for a migration that comes in, step by step; whoever calls takes care that one does not overtake another (`turns.ts`). */
export function makeIncomingSteps({ node, arrivals, halves, streams, settling, engine, room, redis, keys, log, probe }: Needs) {
  const { pendingFolder } = halves;
  const smallFolder = (containerId: string) => `${pendingFolder(containerId)}/small`;
  const claims = makeClaims(halves);

  const release = (id: string) => {
    room.release(id);
    claims.release(id);
  };

  /** Books room, and the names of what comes along, for a migration; null = only asks. */
  async function judge(id: string | null, { description, introduction, needs, memoryBytes }: Offer): Promise<OfferAnswer> {
    const [own, pair, short, taken, hasImage, whyNotLazy] = await Promise.all([
      engine.findings(description, needs),
      probe.compare(introduction),
      room.claim(id, memoryBytes),
      id === null ? [] : claims.take(id, description),
      engine.hasImage(description.imageId),
      engine.whyNotLazy(),
    ]);
    const layersHere = hasImage ? 0 : await engine.layersHere(needs.imageLayers);
    return {
      protocol: MOVE_PROTOCOL,
      findings: [...own, ...pair, ...short, ...taken],
      hasImage,
      layersHere,
      hasZstd: await hasZstd(),
      whyNotLazy,
    };
  }

  const answer = async (containerId: string, trees: readonly FileTree[], pagePort: number | null): Promise<TwinAnswer> => ({
    containerId,
    pagePort,
    takesAlong: await engine.mayFillBeside(),
    takesPlainTars: await engine.takesPlainTars(),
    trees: trees.map((tree) => ({ name: tree.name, file: tree.file ?? null })),
  });

  async function ownerTwin(id: string | null): Promise<OwnerTwin | null> {
    if (id === null) return null;
    const { containerId } = await halves.readWithTwin(id);
    return { containerId, folder: pendingFolder(containerId) };
  }

  return {
    judge,

    async offer(id: string, offer: Offer): Promise<OfferAnswer> {
      await halves.write(id, { description: offer.description, containerId: null, trees: [], state: "preparing", pagePort: null });
      return judge(id, offer);
    },

    async pull(id: string): Promise<{ isHere: boolean }> {
      const half = await halves.read(id);
      return { isHere: await engine.pullImage(half.description) };
    },

    async image(id: string, stream: Readable) {
      const half = await halves.read(id);
      await engine.loadImage(stream, half.description.imageName, half.description.imageId);
      return EMPTY;
    },

    async makeTwin(id: string, { leaveMemory, owners: ownerIds }: TwinRequest): Promise<TwinAnswer> {
      const half = await halves.read(id);
      // Asked again after the answer was lost: the same twin, or none of the half-made one.
      if (half.containerId !== null) return answer(half.containerId, half.trees, half.pagePort);
      const left = await engine.findTwin(id);
      if (left?.isRunning) throw new EvenkeelError("FENCED", `${id}: the copy on ${node} runs already`);
      if (left !== null) await engine.remove(left.containerId, pendingFolder(left.containerId), half.description);
      const [network, ipc] = await Promise.all([ownerIds.network, ownerIds.ipc].map(ownerTwin));
      const owners = { network: network ?? null, ipc: ipc ?? null };
      // What moves in makes the two ends equal: it would empty a volume or folder of somebody else's, who may have come since the offer.
      const [taken] = half.isMade ? [] : await engine.taken(half.description);
      if (taken !== undefined) throw new EvenkeelError("PREFLIGHT_BLOCKED", `${taken.code}: ${taken.message}. ${taken.hint}`);
      // Before they are: Docker may die over it, and leave them without a twin that would tell of them.
      await halves.write(id, { ...half, isMade: true });
      const twin = await engine.create(half.description, id, owners);
      const folder = pendingFolder(twin.containerId);
      await engine.prepareRestore(half.description, twin.containerId, folder, owners);
      await writeRsyncConfig(halves.rsyncConfig(id), twin.trees);
      const from = leaveMemory ? (await readMigration(redis, keys, id))?.from : undefined;
      const pagePort = from === undefined ? null : await engine.openPages(twin.containerId, folder, { node: from, migration: id });
      if (pagePort === null) await engine.awaitImages(twin.containerId, folder);
      await halves.write(id, { ...half, isMade: true, containerId: twin.containerId, trees: twin.trees, pagePort });
      // Here and not in the freeze: it waits for the disk.
      await arrivals.keep(id, { description: half.description, hasRun: false });
      return answer(twin.containerId, twin.trees, pagePort);
    },

    async hold(id: string): Promise<HoldAnswer> {
      const { description, containerId } = await halves.readWithTwin(id);
      const holding = engine.hold(description, containerId, pendingFolder(containerId));
      // The freeze is next.
      collectGarbage();
      return { holds: await holding };
    },

    async small(id: string, pieces: Readable) {
      const folder = smallFolder((await halves.readWithTwin(id)).containerId);
      await removeFolder(folder);
      await mkdir(folder, { mode: 0o700 });
      // They come with the images then.
      await unpackImages(pieces, folder).catch(async (error: unknown) => {
        await removeFolder(folder);
        throw error;
      });
      return EMPTY;
    },

    async memory(id: string, images: Readable) {
      const { containerId } = await halves.readWithTwin(id);
      const imagesPath = `${pendingFolder(containerId)}/images`;
      let putSmall: (() => void) | null = null;
      // Whoever feeds memory goes by the pagemaps.
      await unpackImages(images, imagesPath, async () => {
        putSmall = await markSmall(imagesPath, smallFolder(containerId));
        engine.imagesArrive(containerId, { hasPages: false });
      });
      putSmall ??= await markSmall(imagesPath, smallFolder(containerId));
      putSmall();
      await linkFinal(imagesPath);
      engine.imagesArrive(containerId, { hasPages: true });
      return EMPTY;
    },

    async bookRoom(id: string, bytes: number): Promise<RoomAnswer> {
      return { findings: await room.claim(id, bytes) };
    },

    async round(id: string, round: number, images: Readable) {
      const { containerId } = await halves.readWithTwin(id);
      const folder = pendingFolder(containerId);
      await unpackImages(images, await makeRoundFolder(`${folder}/images`, round));
      await linkRound(`${folder}/images`, round);
      engine.roundArrived(containerId);
      return EMPTY;
    },

    async flush(id: string) {
      await flushTrees((await halves.readWithTwin(id)).trees);
      return EMPTY;
    },

    async begin(id: string) {
      const { description, containerId } = await halves.readWithTwin(id);
      await engine.beginRestore(description, containerId, pendingFolder(containerId));
      return EMPTY;
    },

    async restore(id: string, { epoch, processes, neighbours, isCold, changedTrees }: RestoreRequest): Promise<RestoreAnswer> {
      const half = await halves.readWithTwin(id);
      // Whatever is left of them would write among the files of a copy that runs.
      await streams.end(id);
      await halves.write(id, { ...half, state: "restoring", isCold });
      // What the source had on its disk must be on ours before our copy counts: beside the restore, which mostly takes longer.
      const onDisk = changedTrees.length === 0 ? Promise.resolve() : flushTrees(half.trees);
      onDisk.catch(() => {});
      const commit = async () => {
        await onDisk;
        return commitMigration(redis, keys, id, epoch, nowSeconds());
      };
      let restored: RestoreDone;
      try {
        const folder = pendingFolder(half.containerId);
        restored = isCold
          ? await engine.startCold(half.containerId, folder, commit)
          : await engine.restore(half.containerId, folder, {
              processes,
              neighbours,
              leavesMemory: half.pagePort !== null,
              rootChanged: changedTrees.includes(ROOT_TREE),
              logChanged: changedTrees.includes(LOG_TREE),
              commit,
            });
      } catch (error) {
        const known = asEvenkeelError(error, "RESTORE_FAILED");
        log.error({ migration: id, code: known.code, detail: known.detail }, "restore failed");
        // With Docker away it cannot be done now; whoever tidies up tries again.
        await settling
          .giveUp(id, half)
          .catch((again: unknown) => log.error({ migration: id, error: String(again) }, "could not settle it yet"));
        throw known;
      }
      await settling.noteRunning(id, half);
      return { timeline: restored.timeline, sinceResumedSeconds: monotonicSeconds() - restored.resumedAt };
    },

    async finish(id: string) {
      const half = await halves.readWithTwin(id);
      if (half.startedAnew) await settling.startAnew(id, half.description);
      await engine.finish(half.description, half.containerId, pendingFolder(half.containerId));
      await removeFolder(pendingFolder(half.containerId));
      // The other way round, a crash in between would leave what stands for a copy whose memory was lost with its half.
      await arrivals.forget(id);
      await halves.forget(id);
      streams.forget(id);
      release(id);
      return EMPTY;
    },

    async remove(id: string) {
      const record = await readMigration(redis, keys, id);
      const half = await halves.find(id);
      if (record?.outcome === "committed" || half?.state === "running") {
        throw new EvenkeelError("FENCED", `${id}: the copy on ${node} is the one that counts`);
      }
      // The executor may have died between making the twin and writing its id down; the twin's label tells.
      const twin = half?.containerId == null ? await engine.findTwin(id) : null;
      // One that runs though nothing is left of its migration has been finished. Whatever the record says, it may be the only copy.
      if (twin?.isRunning) throw new EvenkeelError("FENCED", `${id}: the copy on ${node} runs, and its migration was finished here`);
      const containerId = half?.containerId ?? twin?.containerId ?? null;
      // The source may have left a large tree on its way: it would make its files again, beside those of whoever comes next.
      await streams.end(id);
      if (containerId !== null) {
        const description = half?.description ?? (await arrivals.read(id))?.description ?? null;
        await engine.remove(containerId, pendingFolder(containerId), description);
        await removeFolder(pendingFolder(containerId));
      } else if (half?.isMade) await engine.removeKept(half.description);
      await halves.forget(id);
      await arrivals.forget(id);
      streams.forget(id);
      release(id);
      return EMPTY;
    },
  };
}
