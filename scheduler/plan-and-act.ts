import { performance } from "node:perf_hooks";
import type { Redis } from "ioredis";
import type { Keys } from "../platform/keys.js";
import type { Logger } from "../platform/log.js";
import { decide } from "../policies/decide.js";
import { carryOut, heldBack } from "./act/carry-out-plan.js";
import { forgetWorkloads } from "./act/forget.js";
import type { MigrationJobs } from "./act/migration-jobs.js";
import { recoverJobs } from "./act/recover-jobs.js";
import { settleLostSources } from "./act/settle-lost.js";
import { withdrawMoves } from "./act/withdraw.js";
import type { FleetPicture } from "./fleet/build-snapshot.js";
import { noteFlagDates } from "./fleet/flag-dates.js";
import { endHomecomings } from "./fleet/homecomings.js";
import { type PublishedPlan, writePlan } from "./plan-store.js";
import type { PowerActs } from "./power/carry-out-power.js";
import type { LiveSettings } from "./reload.js";
import type { Windows } from "./windows.js";

export interface ActingParts {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly jobs: MigrationJobs;
  readonly windows: Windows;
  readonly policies: LiveSettings;
  readonly power: PowerActs;
  readonly log: Logger;
}

/** What a leader does at each tick: decides, publishes what it has decided, and carries out what it may. */
export async function planAndAct(
  parts: ActingParts,
  picture: FleetPicture,
  term: number,
): Promise<{ published: PublishedPlan; decideSeconds: number }> {
  const { redis, keys, jobs, windows, policies, log } = parts;
  const mode = policies.mode();
  const { reading } = picture;
  const now = reading.at;
  const begunMilliseconds = performance.now();
  const plan = decide(picture.snapshot, policies.current(), now);
  const decideSeconds = (performance.now() - begunMilliseconds) / 1000;
  const restraint = { mode, windows: windows.open(now), pause: picture.pause };
  const moves = plan.moves.map((move) => ({ ...move, heldBack: heldBack(move, restraint) }));
  const power = plan.power.map((change) => ({
    ...change,
    heldBack: parts.power.heldBack(change, restraint, reading.power.get(change.node)),
  }));
  const published: PublishedPlan = { ...plan, moves, power, term, mode };
  await writePlan(redis, keys, published);
  const actor = { redis, keys, jobs, term };
  const { verdicts } = plan;
  const { openMigrations, nodes } = reading;
  const known = new Set(nodes.map(({ id }) => id));
  // Again, should whoever forgot the node have stopped in between.
  const lost = openMigrations.some(({ from }) => !known.has(from)) ? await settleLostSources(actor, (node) => known.has(node)) : [];
  if (lost.length > 0) log.warn({ lost }, "closed what a forgotten node had left open");
  await jobs.keepOnly(known);
  const open = openMigrations.filter(({ id }) => !lost.includes(id));
  const moment = { snapshot: picture.snapshot, config: policies.current(), now, verdicts };
  const withdrawn = await withdrawMoves(actor, open, moment, restraint);
  if (withdrawn.length > 0) log.info({ withdrawn }, "moves called off: no longer wanted");
  const started = await carryOut(
    actor,
    picture,
    moves.filter((move) => move.heldBack === null),
    log,
  );
  await parts.power.noteAwake(actor, picture);
  const changes = power.filter((change) => change.heldBack === null);
  await parts.power.open(actor, picture, changes);
  await parts.power.carryOut(actor, picture, changes);
  await parts.power.callAgain(actor, picture);
  if (started.length > 0) log.info({ started: started.map(({ id }) => id) }, "moves started");
  const recovered = await recoverJobs(
    actor,
    open.filter(({ id }) => !withdrawn.includes(id)),
    now,
  );
  if (recovered.length > 0) log.warn({ recovered }, "jobs delivered again");
  await noteFlagDates(actor, picture);
  await endHomecomings(actor, picture);
  const forgotten = await forgetWorkloads(actor, picture);
  if (forgotten > 0) log.info({ forgotten }, "workloads forgotten that no node has run for long");
  return { published, decideSeconds };
}
