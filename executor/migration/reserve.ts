import { nodeSampleSchema } from "../../collector/protocol.js";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import { loadLua } from "../../platform/redis.js";
import type { Reservation } from "../protocol.js";
import type { Held, Surroundings } from "./migration.js";

const reserveScript = loadLua("executor/lua/reserve.lua");

/** A forgotten reservation stops counting after this; a live one is freed when its record closes. */
const RESERVATION_SECONDS = 3600;

/** Holds room on the destination by the newest samples of both ends. @throws RESERVATION_FAILED, NODE_UNKNOWN */
export async function reserveRoom({ redis, keys }: Surroundings, held: Held): Promise<void> {
  const { record } = held;
  const [there, here] = await Promise.all([redis.get(keys.nodeSample(record.to)), redis.get(keys.nodeSample(record.from))]);
  const free = parse(there)?.memoryAvailableBytes;
  if (free == null) throw new EvenkeelError("NODE_UNKNOWN", `${record.to} has no fresh reading of its memory`);
  const workload = parse(here)?.workloads.find((each) => each.containerId === record.containerId);
  // Use that cannot be read counts as all that the workload may use.
  const memoryBytes = workload?.memoryUsedBytes ?? workload?.memoryLimitBytes;
  if (workload === undefined || memoryBytes == null) {
    throw new EvenkeelError("NODE_UNKNOWN", `${record.from} has no fresh reading of ${record.name}`);
  }
  const reservation: Reservation = {
    migrationId: record.id,
    workload: record.workload,
    cpuCores: workload.cpuUsedCores ?? 0,
    // Its images wait in memory there while it is restored, so it needs its size twice for a moment.
    memoryBytes: 2 * memoryBytes,
    expiresAt: nowSeconds() + RESERVATION_SECONDS,
  };
  const reply = await reserveScript(redis, [keys.reservations(record.to)], [record.id, JSON.stringify(reservation), free, nowSeconds()]);
  if (reply !== "ok") {
    throw new EvenkeelError(
      "RESERVATION_FAILED",
      `${record.to} has ${free} bytes free, less what is reserved; ${record.name} needs ${reservation.memoryBytes}`,
    );
  }
}

function parse(text: string | null) {
  return text === null ? null : (nodeSampleSchema.safeParse(JSON.parse(text)).data ?? null);
}
