import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { MigrationRecord } from "../../platform/migration-record.js";
import { loadLua } from "../../platform/redis.js";
import type { Reservation } from "../protocol.js";
import type { Held, Surroundings } from "./migration.js";
import { readSample } from "./read-sample.js";

const reserveScript = loadLua("executor/lua/reserve.lua");
const renewScript = loadLua("executor/lua/renew-reservation.lua");

/** A forgotten reservation stops counting after this; a live one is freed when its record closes. */
const RESERVATION_SECONDS = 3600;
const RENEWAL_SECONDS = RESERVATION_SECONDS / 6;

export interface Demand {
  readonly cpuCores: number;
  readonly usedBytes: number;
  /** On the destination, by its newest sample. */
  readonly freeBytes: number;
  /** There, for other migrations. */
  readonly reservedBytes: number;
}

/** What a workload has of memory, and what its destination has left, by the newest samples of both ends. @throws NODE_UNKNOWN */
export async function readDemand(
  surroundings: Pick<Surroundings, "redis" | "keys">,
  wanted: Pick<MigrationRecord, "name" | "containerId" | "from" | "to">,
): Promise<Demand> {
  const [there, here, held] = await Promise.all([
    readSample(surroundings, wanted.to),
    readSample(surroundings, wanted.from),
    surroundings.redis.hvals(surroundings.keys.reservations(wanted.to)),
  ]);
  const freeBytes = there?.memoryAvailableBytes;
  if (freeBytes == null) throw new EvenkeelError("NODE_UNKNOWN", `${wanted.to} has no fresh reading of its memory`);
  const workload = here?.workloads.find((each) => each.containerId === wanted.containerId);
  // Use that cannot be read counts as all that the workload may use.
  const usedBytes = workload?.memoryUsedBytes ?? workload?.memoryLimitBytes;
  if (workload === undefined || usedBytes == null) {
    throw new EvenkeelError("NODE_UNKNOWN", `${wanted.from} has no fresh reading of ${wanted.name}`);
  }
  const standing = held.map((text) => JSON.parse(text) as Reservation).filter(({ expiresAt }) => expiresAt >= nowSeconds());
  const reservedBytes = standing.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return {
    cpuCores: workload.cpuUsedCores ?? 0,
    usedBytes,
    freeBytes,
    reservedBytes,
  };
}

/** Holds room on the destination, in place of what was held before. @throws RESERVATION_FAILED, NODE_UNKNOWN */
export async function reserveRoom(surroundings: Surroundings, held: Held, memoryBytes: number): Promise<void> {
  const { record } = held;
  const { redis, keys } = surroundings;
  const demand = await readDemand(surroundings, record);
  const reservation: Reservation = {
    migrationId: record.id,
    workload: record.workload,
    cpuCores: demand.cpuCores,
    memoryBytes,
    expiresAt: nowSeconds() + RESERVATION_SECONDS,
  };
  const reply = await reserveScript(
    redis,
    [keys.reservations(record.to)],
    [record.id, JSON.stringify(reservation), demand.freeBytes, nowSeconds()],
  );
  if (reply !== "ok") {
    throw new EvenkeelError(
      "RESERVATION_FAILED",
      `${record.to} has ${demand.freeBytes} bytes free, less what is reserved; ${record.name} needs ${reservation.memoryBytes}`,
    );
  }
}

/** Lets what was reserved count on; what was not, or is freed already, stays so. Returns whether there was something. */
export async function renewReservation(
  { redis, keys }: Pick<Surroundings, "redis" | "keys">,
  { id, to }: MigrationRecord,
): Promise<boolean> {
  return (await renewScript(redis, [keys.reservations(to)], [id, nowSeconds() + RESERVATION_SECONDS])) === "renewed";
}

/** Keeps the reservation of a migration that takes hours. To be closed. */
export function keepReservation(surroundings: Surroundings, record: MigrationRecord): { close(): void } {
  const timer = setInterval(() => {
    renewReservation(surroundings, record).catch((error: unknown) =>
      surroundings.log.warn({ migration: record.id, error: String(error) }, "the reservation was not renewed"),
    );
  }, RENEWAL_SECONDS * 1000);
  return { close: () => clearInterval(timer) };
}
