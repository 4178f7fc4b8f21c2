import { z } from "zod";
import type { MigrationRecord } from "../../platform/migration-record.js";
import type { Surroundings } from "./migration.js";

/** What the moves to one node have shown so far. */
export interface BlackoutModel {
  /** A freeze with hardly any memory in it. */
  readonly fixedSeconds: number;
  /** Memory written, sent and read back in the freeze. */
  readonly bytesPerSecond: number;
}

/** Until a move has shown better: a machine of two busy cores. */
export const FIRST_GUESS: BlackoutModel = { fixedSeconds: 0.5, bytesPerSecond: 200e6 };

/** So little memory that the time is the fixed one, so much that it is mostly the memory's. */
const LITTLE_BYTES = 8 << 20;
const MUCH_BYTES = 32 << 20;
/** How much the newest move counts. */
const WEIGHT = 0.3;

const schema = z.object({ fixedSeconds: z.number().positive(), bytesPerSecond: z.number().positive() });

export async function readBlackoutModel({ redis, keys, node }: Surroundings, to: string): Promise<BlackoutModel> {
  const text = await redis.hget(keys.blackoutModel(node), to);
  return text === null ? FIRST_GUESS : (schema.safeParse(JSON.parse(text)).data ?? FIRST_GUESS);
}

/** Keeps what a move has shown. */
export async function noteBlackout(
  surroundings: Surroundings,
  record: MigrationRecord,
  frozenBytes: number,
  blackoutSeconds: number,
): Promise<void> {
  const { redis, keys, node } = surroundings;
  const model = learn(await readBlackoutModel(surroundings, record.to), frozenBytes, blackoutSeconds);
  await redis.hset(keys.blackoutModel(node), record.to, JSON.stringify(model));
}

export function learn(model: BlackoutModel, frozenBytes: number, blackoutSeconds: number): BlackoutModel {
  const towards = (old: number, seen: number) => old + WEIGHT * (seen - old);
  if (frozenBytes < LITTLE_BYTES) return { ...model, fixedSeconds: towards(model.fixedSeconds, blackoutSeconds) };
  const memorySeconds = blackoutSeconds - model.fixedSeconds;
  // A freeze that was shorter than the fixed time says only that this is too long.
  if (memorySeconds <= 0) return { ...model, fixedSeconds: towards(model.fixedSeconds, blackoutSeconds) };
  return frozenBytes < MUCH_BYTES ? model : { ...model, bytesPerSecond: towards(model.bytesPerSecond, frozenBytes / memorySeconds) };
}
