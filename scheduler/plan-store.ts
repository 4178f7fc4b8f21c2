import type { Redis } from "ioredis";
import { EvenkeelError } from "../platform/errors.js";
import type { Keys } from "../platform/keys.js";
import { loadLua } from "../platform/redis.js";
import type { Move, Plan, PowerChange } from "../policies/types.js";
import type { Mode } from "./act/carry-out-plan.js";

const writeScript = loadLua("scheduler/lua/plan-write.lua");

/** A plan as it was published: by which leader, and what became of each move. */
export interface PublishedPlan extends Plan {
  readonly term: number;
  readonly mode: Mode;
  readonly moves: readonly PublishedMove[];
  readonly power: readonly (PowerChange & Pick<PublishedMove, "heldBack">)[];
}

export interface PublishedMove extends Move {
  /** Why it is not made by itself; null = it is being made. */
  readonly heldBack: string | null;
}

/** @throws FENCED when a newer leader exists. */
export async function writePlan(redis: Redis, keys: Keys, plan: PublishedPlan): Promise<void> {
  const reply = await writeScript(redis, [keys.plan, keys.leader], [JSON.stringify(plan), plan.term, keys.events]);
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${plan.term} is over`);
}

/** The newest plan; null before the first. */
export async function readPlan(redis: Redis, keys: Keys): Promise<PublishedPlan | null> {
  const text = await redis.get(keys.plan);
  return text === null ? null : (JSON.parse(text) as PublishedPlan);
}
