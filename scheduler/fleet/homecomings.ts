import type { Redis } from "ioredis";
import { z } from "zod";
import { EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";
import { loadLua } from "../../platform/redis.js";
import { CLOCK_SKEW_SECONDS } from "../../policies/clock-skew.js";
import type { Homecoming } from "../../policies/types.js";
import type { Actor } from "../act/start-migration.js";
import type { FleetPicture } from "./build-snapshot.js";
import { departuresSince } from "./drain-report.js";
import type { PlacedWorkload } from "./place-workloads.js";
import type { FleetReading } from "./read-fleet.js";

const endScript = loadLua("scheduler/lua/homecomings-end.lua");

/** What an operator has asked back, in the hash `homecomings` by node. */
const homecomingSchema = z.object({ askedAt: z.number(), workloads: z.array(z.string()) });

export type Homecomings = ReadonlyMap<string, z.infer<typeof homecomingSchema>>;

/** A wish that could not be fulfilled in a day is forgotten: by then nobody expects it any more. */
const LIFE_SECONDS = 86_400;

export function parseHomecomings(hash: Readonly<Record<string, string>>): Homecomings {
  const homecomings = new Map<string, z.infer<typeof homecomingSchema>>();
  for (const [node, text] of Object.entries(hash)) {
    try {
      const parsed = homecomingSchema.safeParse(JSON.parse(text));
      if (parsed.success) homecomings.set(node, parsed.data);
    } catch {
      // Not JSON: nobody knows what was asked, so nothing is moved.
    }
  }
  return homecomings;
}

/** Those that left for the drain which ends now, and are where that took them. */
export function workloadsToBringHome({ reading, placed, snapshot }: FleetPicture, node: string): string[] {
  const since = snapshot.nodes.find(({ id }) => id === node)?.maintenance?.since;
  if (since === undefined) return [];
  const wentTo = new Map(departuresSince({ reading }, node, since).map(({ workload, to }) => [workload, to]));
  return placed.filter(({ id, node: at }) => wentTo.get(id) === at).map(({ id }) => id);
}

export async function askHome(redis: Redis, keys: Keys, node: string, workloads: readonly string[], at: number): Promise<void> {
  await redis.hset(keys.homecomings, node, JSON.stringify({ askedAt: at, workloads }));
}

/**
 * What is still to come home; nodes for which nothing is left are not named. What has been moved since it was asked for has come home, or whoever
 * moved it elsewhere did so later, and that counts.
 */
export function findHomecomings({ at, homecomings, lastMoved }: FleetReading, placed: readonly PlacedWorkload[]): Homecoming[] {
  if (homecomings.size === 0) return [];
  const places = new Map(placed.map(({ id, node }) => [id, node]));
  return [...homecomings].flatMap(([node, { askedAt, workloads }]) => {
    const away = workloads.filter(
      (id) => places.has(id) && places.get(id) !== node && (lastMoved[id] ?? 0) <= askedAt + CLOCK_SKEW_SECONDS,
    );
    return at - askedAt > LIFE_SECONDS || away.length === 0 ? [] : [{ node, workloads: away }];
  });
}

/**
 * Forgets wishes that are fulfilled, or that a new drain of their node has overtaken. A flag that is older than the wish is the one with whose end
 * it was made: a reading may still show it, or something else asks for maintenance for a while. A wish that is newer than the picture stays.
 * @throws FENCED when a newer leader exists.
 */
export async function endHomecomings(
  { redis, keys, term }: Pick<Actor, "redis" | "keys" | "term">,
  { reading, requests, snapshot }: FleetPicture,
): Promise<void> {
  const open = new Set(snapshot.homecomings?.map(({ node }) => node));
  const isOvertaken = (node: string, askedAt: number) => (requests.get(node) ?? []).some(({ since }) => since > askedAt);
  const over = [...reading.homecomings].filter(([node, { askedAt }]) => !open.has(node) || isOvertaken(node, askedAt));
  if (over.length === 0) return;
  const wishes = over.flatMap(([node, { askedAt }]) => [node, askedAt]);
  const reply = await endScript(redis, [keys.homecomings, keys.leader], [term, ...wishes]);
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${term} is over`);
}
