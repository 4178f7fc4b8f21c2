import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";
import { listMigrations } from "../../platform/migration-record.js";
import { loadLua } from "../../platform/redis.js";
import type { FleetPicture } from "../fleet/build-snapshot.js";
import { isExecutorHeard, parseReports } from "../fleet/lost-peers.js";
import type { Actor } from "./start-migration.js";

const nodeScript = loadLua("scheduler/lua/node-forget.lua");
const workloadsScript = loadLua("scheduler/lua/workloads-forget.lua");

/** Longer than any cool-down, and than a stopped container is likely to rest. */
const UNSEEN_SECONDS = 7 * 86_400;
/** A tick stays short whatever has piled up; the next one goes on. */
const FORGOTTEN_AT_ONCE = 500;

/** @throws NODE_NOT_FOUND, NODE_REPORTS when it or its executor is alive. */
export async function forgetNode(redis: Redis, keys: Keys, node: string): Promise<void> {
  // Without a collector an executor may still be in the middle of a move.
  const report = parseReports({ [node]: (await redis.hget(keys.executors, node)) ?? "" }).get(node);
  if (isExecutorHeard(report, nowSeconds())) throw new EvenkeelError("NODE_REPORTS", `the executor of ${node}`);
  const reply = await nodeScript(
    redis,
    [
      keys.nodes,
      keys.nodeSample(node),
      keys.nodeIdentity(node),
      keys.nodeHistory(node),
      keys.maintenance,
      keys.executors,
      keys.power,
      keys.homecomings,
      keys.nodePattern(node),
      keys.blackoutModel(node),
      keys.cordons,
    ],
    [node],
  );
  if (reply === "none") throw new EvenkeelError("NODE_NOT_FOUND", node);
  if (reply === "reports") throw new EvenkeelError("NODE_REPORTS", node);
}

/** Removes the queue of a node that has been forgotten, unless it has come back meanwhile and moves something. */
export async function forgetJobs({ redis, keys, jobs }: Pick<Actor, "redis" | "keys" | "jobs">, node: string): Promise<void> {
  const open = await listMigrations(redis, keys, 0);
  if (!open.some(({ from, closedAt }) => from === node && closedAt === null)) await jobs.remove(node);
}

/**
 * Drops the owner and last move of workloads that are on no node, so that Redis does not keep every container there ever was. Those that belong to a
 * node which is silent stay, for it may run them, and while any is silent so does what belongs to nobody. @returns how many.
 */
export async function forgetWorkloads({ redis, keys, term }: Actor, { reading, placed }: FleetPicture): Promise<number> {
  const silent = new Set(reading.nodes.flatMap(({ id, sample }) => (sample === null ? [id] : [])));
  const mayRun = (id: string) => silent.size > 0 && (reading.owners[id] === undefined || silent.has(reading.owners[id]));
  const before = reading.at - UNSEEN_SECONDS;
  const old = new Set(
    [...Object.keys(reading.owners), ...Object.keys(reading.lastMoved)].filter(
      (id) => (reading.lastMoved[id] ?? 0) < before && !mayRun(id),
    ),
  );
  if (old.size === 0) return 0;
  for (const { id } of placed) old.delete(id);
  const gone = [...old].slice(0, FORGOTTEN_AT_ONCE);
  if (gone.length === 0) return 0;
  const reply = await workloadsScript(redis, [keys.lastMoved, keys.owners, keys.leader, keys.openByWorkload], [term, before, ...gone]);
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${term} is over`);
  return Number(reply);
}
