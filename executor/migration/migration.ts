import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { advanceMigration, type MigrationRecord, noteProgress, type Stage, type StageProgress } from "../../platform/migration-record.js";
import { monotonicSeconds } from "../channel/events.js";
import type { SourceEngine } from "../engine/engine.js";
import type { ImageRoom } from "../image-room.js";
import type { PagesTls } from "../pages/pages-protocol.js";
import type { Peer } from "../peer/client.js";
import type { NodeProbe } from "../preflight/node-probe.js";
import { LiveProgress } from "./live-progress.js";
import type { StreamSettings } from "./outlet.js";

/** What every stage of the source's half works with. */
export interface Surroundings {
  readonly node: string;
  readonly runDirectory: string;
  readonly stateDirectory: string;
  readonly engine: SourceEngine;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly room: ImageRoom;
  readonly streams: StreamSettings;
  /** Migrations that this executor carries out now. */
  readonly inHand: Set<string>;
  readonly log: Logger;
  readonly probe: NodeProbe;
  /** For the process that gives memory away after a commit. */
  readonly pagesTls: PagesTls;
  connect(node: string): Promise<Peer>;
}

/** One migration that this executor holds under an epoch. */
export interface Held {
  readonly record: MigrationRecord;
  readonly peer: Peer;
  readonly bytes: Record<string, number>;
  /** Whether what is sent while the workload runs is compressed, and from how many bytes on what is sent in the freeze. Decided once the link was tried. */
  readonly outlet: { compresses: boolean; leastFrozenBytes: number };
  /** The same before compression; files, which rsync compresses, as they cross. */
  readonly carried: Record<string, number>;
  readonly live: LiveProgress;
  readonly log: Logger;
}

/** Watches what is carried and writes into the record how far the migration is. To be closed. */
export function startLiveProgress(surroundings: Surroundings, held: Pick<Held, "record" | "bytes" | "carried">): LiveProgress {
  return new LiveProgress(held.carried, (stage, progress) => reportProgress(surroundings, held, stage, progress), monotonicSeconds);
}

/** Tells the live views how far a stage is. Never fails a migration. */
export function reportProgress(
  { redis, keys, log }: Surroundings,
  { record: { id, epoch }, bytes }: Pick<Held, "record" | "bytes">,
  stage: Stage,
  progress: StageProgress,
): void {
  noteProgress(redis, keys, nowSeconds(), { id, epoch, stage, progress, bytes }).catch((error: unknown) =>
    log.debug({ migration: id, error: String(error) }, "progress not noted"),
  );
}

/** Where the source keeps the images and FIFOs of a migration. */
export function sourceFolder(surroundings: Surroundings, id: string): string {
  return `${surroundings.runDirectory}/out/${id}`;
}

/** Notes that a stage begins. @throws FENCED when the migration is no longer ours, or was cancelled. */
export async function enter(
  surroundings: Surroundings,
  held: Held,
  stage: Stage,
  fields: Record<string, string | number | object | null> = {},
): Promise<void> {
  held.log.info({ stage }, "stage");
  held.live.expect(null);
  await advanceMigration(surroundings.redis, surroundings.keys, nowSeconds(), {
    id: held.record.id,
    epoch: held.record.epoch,
    stage,
    fields: { ...fields, bytes: held.bytes, progress: null },
  });
}
