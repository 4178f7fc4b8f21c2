import type { Duplex, Readable } from "node:stream";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { Finding } from "../../platform/findings.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { abortMigration, readMigration } from "../../platform/migration-record.js";
import type { TargetEngine, WorkloadDescription } from "../engine/engine.js";
import type { ImageRoom } from "../image-room.js";
import type { Introduction, NodeProbe } from "../preflight/node-probe.js";
import type { Arrivals } from "./arrivals.js";
import { makeFileStreams } from "./file-streams.js";
import { keepHalves } from "./halves.js";
import { makeIncomingSteps } from "./incoming-steps.js";
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
import { makeSettling } from "./settle-half.js";
import { makeTurns } from "./turns.js";

export type Until = "pending" | "open" | "ever";

export interface Incoming {
  /**
   * Whether the caller is the source of that migration, and it is as far as its request wants: `pending` for all that makes a copy, `open` until its record is
   * closed. @throws MIGRATION_NOT_FOUND, PEER_UNAUTHENTICATED, FENCED
   */
  authorise(id: string, caller: string, until: Until): Promise<void>;
  /** What would keep this node from taking the workload. Changes nothing. */
  judge(offer: Offer): Promise<OfferAnswer>;
  compare(introduction: Introduction): Promise<{ readonly findings: readonly Finding[] }>;
  offer(id: string, offer: Offer): Promise<OfferAnswer>;
  pull(id: string): Promise<{ isHere: boolean }>;
  image(id: string, stream: Readable): Promise<Record<string, never>>;
  makeTwin(id: string, request: TwinRequest): Promise<TwinAnswer>;
  /** @throws PEER_UNAUTHENTICATED once a copy may run. */
  files(id: string): Promise<(socket: Duplex) => void>;
  hold(id: string): Promise<HoldAnswer>;
  steer(id: string): Promise<Record<string, never>>;
  /** Books room for images, in place of what was booked with the offer. */
  bookRoom(id: string, bytes: number): Promise<RoomAnswer>;
  /** The images of a round of pre-copy. */
  round(id: string, round: number, images: Readable): Promise<Record<string, never>>;
  /** Small pieces of memory, ahead of its images. */
  small(id: string, pieces: Readable): Promise<Record<string, never>>;
  memory(id: string, images: Readable): Promise<Record<string, never>>;
  flush(id: string): Promise<Record<string, never>>;
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
  const halves = keepHalves(runDirectory, node);
  const { pendingFolder } = halves;
  const { inTurn, afterNewest, isBusy } = makeTurns();
  const settling = makeSettling({ node, arrivals, halves, engine, redis, keys, log });
  const streams = makeFileStreams(log);
  const steps = makeIncomingSteps({ node, arrivals, halves, streams, settling, engine, room, redis, keys, log, probe });

  async function removeStrays(): Promise<void> {
    const known = await halves.ids();
    for (const id of await engine.stoppedTwins()) {
      if (known.includes(id) || isBusy(id)) continue;
      // A copy that counts came by a migration that was committed, and that never changes.
      if ((await abortMigration(redis, keys, id, nowSeconds(), `${node} lost its half`)) !== "aborted") continue;
      log.warn({ migration: id }, "removing the twin of a migration that ended at its source");
      await inTurn(id, () => steps.remove(id));
    }
  }

  return {
    async authorise(id, caller, until) {
      const record = await readMigration(redis, keys, id);
      if (record === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", id);
      if (record.to !== node || record.from !== caller) {
        throw new EvenkeelError("PEER_UNAUTHENTICATED", `${caller} may not speak for migration ${id} (${record.from} -> ${record.to})`);
      }
      // A source of long ago has no more say in what runs here.
      const isOver = until !== "ever" && (record.closedAt !== null || (until === "pending" && record.outcome !== "pending"));
      if (isOver) throw new EvenkeelError("FENCED", `${id} is ${record.closedAt === null ? record.outcome : "closed"}`);
    },
    // Beside the memory, not after it: both belong to the freeze.
    files: async (id) => {
      const { state } = await halves.read(id);
      // Streams that were ended are forgotten by an executor that starts anew, what it has of the migration is not.
      if (state !== "preparing") throw new EvenkeelError("PEER_UNAUTHENTICATED", `${id}: files may come no more, its copy is ${state}`);
      return (socket) => streams.open(id, halves.rsyncConfig(id), socket);
    },
    // The source's threads stand still until this has its answer.
    steer: async (id) => {
      engine.steer((await halves.readWithTwin(id)).containerId);
      return EMPTY;
    },
    async status(id) {
      const state = (await halves.find(id)) === null ? await inTurn(id, () => settling.stateWithoutHalf(id)) : "unknown";
      // One that was lost with this node's power has a half again once it was started anew.
      const half = await halves.find(id);
      if (half === null) return { state, pages: null };
      const folder = half.pagePort !== null && half.containerId !== null ? pendingFolder(half.containerId) : null;
      const lost = { state: "lost", port: 0, doneBytes: 0, totalBytes: 0 } as const;
      return { state: half.state, pages: half.startedAnew ? lost : folder === null ? null : await engine.pages(folder) };
    },
    judge: (offer) => steps.judge(null, offer),
    compare: async (introduction) => ({ findings: await probe.compare(introduction) }),
    isBusy,
    known: halves.ids,
    offer: (id, offer) => inTurn(id, () => steps.offer(id, offer)),
    pull: (id) => inTurn(id, () => steps.pull(id)),
    image: (id, stream) => afterNewest(id, stream, () => steps.image(id, stream)),
    makeTwin: (id, request) => inTurn(id, () => steps.makeTwin(id, request)),
    hold: (id) => inTurn(id, () => steps.hold(id)),
    small: (id, pieces) => afterNewest(id, pieces, () => steps.small(id, pieces)),
    memory: (id, images) => afterNewest(id, images, () => steps.memory(id, images)),
    bookRoom: (id, bytes) => inTurn(id, () => steps.bookRoom(id, bytes)),
    round: (id, round, images) => afterNewest(id, images, () => steps.round(id, round, images)),
    flush: (id) => inTurn(id, () => steps.flush(id)),
    begin: (id) => inTurn(id, () => steps.begin(id)),
    restore: (id, request) => inTurn(id, () => steps.restore(id, request)),
    startAnew: (id, description) =>
      inTurn(id, async () => {
        await settling.startAnew(id, description);
        return EMPTY;
      }),
    finish: (id) => inTurn(id, () => steps.finish(id)),
    remove: (id) => inTurn(id, () => steps.remove(id)),
    resume: (id) => inTurn(id, () => settling.resume(id)),
    startLost: (id) => inTurn(id, () => settling.startLost(id)),
    removeStrays,
  };
}
