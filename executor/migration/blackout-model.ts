import { z } from "zod";
import type { MigrationRecord } from "../../platform/migration-record.js";
import type { Surroundings } from "./migration.js";

/** What the moves of one kind to one node have shown so far. */
export interface BlackoutModel {
  /** A freeze with hardly any bytes in it; of a cold move what is not the stop. */
  readonly fixedSeconds: number;
  /** Memory and files written, sent and read back in the freeze. */
  readonly bytesPerSecond: number;
}

/** What a blackout is made of: a cold move stops a program and starts it, and one that moves with others waits for them. Neither says anything of the rest. */
export interface MoveKind {
  readonly isCold: boolean;
  readonly isAlone: boolean;
}

export function kindOf({ members }: Pick<MigrationRecord, "members">, isCold: boolean): MoveKind {
  return { isCold, isAlone: members.length < 2 };
}

/** How long a workload stood still, and what of it no later move has to expect again. */
export interface Stood {
  readonly kind: MoveKind;
  readonly blackoutSeconds: number;
  /** Until its program had ended, which is its own doing; 0 = it was frozen. */
  readonly stopSeconds: number;
  /** Memory and files that crossed meanwhile. */
  readonly frozenBytes: number;
}

/** What of all that is counted may cross in a freeze. */
export function filesAndMemory(bytes: Readonly<Record<string, number>>): number {
  return (bytes["files"] ?? 0) + (bytes["memory"] ?? 0);
}

/** Until a move has shown better: a machine of two busy cores. */
export const FIRST_GUESS: BlackoutModel = { fixedSeconds: 0.5, bytesPerSecond: 200e6 };

/** So few bytes that the time is the fixed one, so many that it is mostly theirs. */
const LITTLE_BYTES = 8 << 20;
const MUCH_BYTES = 32 << 20;
/** How much the newest move counts. */
const WEIGHT = 0.3;

const schema = z.object({ fixedSeconds: z.number().positive(), bytesPerSecond: z.number().positive() });

/** A node's name holds no space. */
const fieldOf = (to: string, { isCold, isAlone }: MoveKind) => [isCold ? "cold " : "", isAlone ? "" : "together ", to].join("");
const nodeOf = (field: string) => field.split(" ").at(-1)!;

type Where = Pick<Surroundings, "redis" | "keys" | "node">;

export async function readBlackoutModel({ redis, keys, node }: Where, to: string, kind: MoveKind): Promise<BlackoutModel> {
  // Until others have moved together there, one that did so alone tells most.
  const fields = [fieldOf(to, kind), fieldOf(to, { ...kind, isAlone: true })];
  const told = (await redis.hmget(keys.blackoutModel(node), ...fields)).find((text) => text !== null);
  return told == null ? FIRST_GUESS : (schema.safeParse(JSON.parse(told)).data ?? FIRST_GUESS);
}

/** Keeps what a move has shown, and nothing more of nodes that have been forgotten. */
export async function noteBlackout(where: Where, to: string, stood: Stood): Promise<void> {
  const { redis, keys, node } = where;
  const model = learn(await readBlackoutModel(where, to, stood.kind), stood.frozenBytes, stood.blackoutSeconds - stood.stopSeconds);
  const key = keys.blackoutModel(node);
  await redis.hset(key, fieldOf(to, stood.kind), JSON.stringify(model));
  const known = new Set([to, ...(await redis.zrange(keys.nodes, 0, "-1"))]);
  const gone = (await redis.hkeys(key)).filter((field) => !known.has(nodeOf(field)));
  if (gone.length > 0) await redis.hdel(key, ...gone);
}

export function learn(model: BlackoutModel, frozenBytes: number, blackoutSeconds: number): BlackoutModel {
  const towards = (old: number, seen: number) => old + WEIGHT * (seen - old);
  if (frozenBytes < LITTLE_BYTES) return { ...model, fixedSeconds: towards(model.fixedSeconds, blackoutSeconds) };
  const memorySeconds = blackoutSeconds - model.fixedSeconds;
  // A freeze that was shorter than the fixed time says only that this is too long.
  if (memorySeconds <= 0) return { ...model, fixedSeconds: towards(model.fixedSeconds, blackoutSeconds) };
  return frozenBytes < MUCH_BYTES ? model : { ...model, bytesPerSecond: towards(model.bytesPerSecond, frozenBytes / memorySeconds) };
}
