import { nowSeconds } from "../../platform/clock.js";
import type { Config } from "../../platform/config.js";
import { asEvenkeelError } from "../../platform/errors.js";
import type { Logger } from "../../platform/log.js";
import { redisAheadSeconds } from "../../platform/redis.js";
import { CLOCK_SKEW_SECONDS } from "../../policies/clock-skew.js";
import type { PowerChange } from "../../policies/types.js";
import { approvedUnder, type Restraint } from "../act/carry-out-plan.js";
import type { Actor } from "../act/start-migration.js";
import { recordAudit } from "../audit.js";
import type { FleetPicture } from "../fleet/build-snapshot.js";
import { type PowerRecord, writePower } from "./power-record.js";
import { runHook } from "./run-hook.js";

type PowerConfig = Config["scheduler"]["power"];

/** After a hook has failed its node is let be for so long. */
const RETRY_SECONDS = 30;

type Teller = Omit<Actor, "jobs">;

/** `approved`: an operator has let it through where the mode would hold it back. */
type BegunChange = PowerChange & { readonly approved?: true };

export interface PowerActs {
  /**
   * Why a change is not made by itself; null = it is. What sleeps is woken in every mode.
   * @param record what its node was told before: of one that an operator has approved only a later pause counts
   */
  heldBack(change: PowerChange, restraint: Restraint, record?: PowerRecord): string | null;
  /** Notes which nodes are awake again. */
  noteAwake(actor: Teller, picture: FleetPicture): Promise<void>;
  /** Opens the nodes that were closed for their sleep and are not among these changes any more. */
  open(actor: Teller, picture: FleetPicture, changes: readonly PowerChange[]): Promise<void>;
  /**
   * Notes each change in Redis, then runs its hook beside the tick. One that is to sleep is closed first, and its hook runs when a reading from after
   * that shows it empty. @returns those begun: none whose node is no longer empty, or whose hook runs or has just failed.
   */
  carryOut(actor: Teller, picture: FleetPicture, changes: readonly BegunChange[]): Promise<PowerChange[]>;
  /**
   * Wakes once more what was woken and is silent after its deadline, and again each time that long: whoever woke it may have stopped before its hook
   * ran, or the call was lost. It stays unknown meanwhile: it may just as well be broken.
   */
  callAgain(actor: Teller, picture: FleetPicture): Promise<void>;
  /** Waits for the hooks under way. */
  close(): Promise<void>;
}

export function makePowerActs(config: PowerConfig, log: Logger): PowerActs {
  const running = new Map<string, Promise<void>>();
  /** Being begun, or under way: a tick and an operator may ask for the same at once. */
  const taken = new Set<string>();
  const failedAt = new Map<string, number>();

  const tell = async ({ redis, keys, term }: Teller, node: string, record: PowerRecord, kind: string, detail: string) => {
    await writePower(redis, keys, node, record, term);
    await recordAudit(redis, keys, { at: nowSeconds(), kind, actor: "scheduler", node, detail }, term);
  };

  /** @param record what the node is told then @param afterFailure what it counts as having been told if the hook fails */
  const runHookFor = async (
    actor: Teller,
    { node, to, because }: PowerChange,
    record: PowerRecord,
    afterFailure: (at: number) => PowerRecord,
  ) => {
    // First the record: from now on nobody places anything there, whatever becomes of this process.
    await tell(actor, node, record, to === "sleep" ? "node-put-to-sleep" : "node-woken", because);
    const hooked = runHook(config![to], node)
      .catch(async (error: Error) => {
        const at = nowSeconds();
        failedAt.set(node, at);
        log.error({ node, err: error }, `the hook "${to}" failed`);
        await tell(actor, node, afterFailure(at), `${to}-failed`, error.message);
      })
      .catch((error: unknown) => {
        if (asEvenkeelError(error).code !== "FENCED") log.error({ node, err: error }, "the failed hook could not be noted");
      })
      .finally(() => {
        running.delete(node);
        taken.delete(node);
      });
    running.set(node, hooked);
  };

  /** One hook at a time for each node. */
  const runFor = async (actor: Teller, change: PowerChange, record: PowerRecord, afterFailure: (at: number) => PowerRecord) => {
    taken.add(change.node);
    try {
      await runHookFor(actor, change, record, afterFailure);
    } catch (error) {
      taken.delete(change.node);
      throw error;
    }
  };

  return {
    heldBack: ({ to }, restraint, record) => {
      const { mode, pause } = record?.approved ? restrainApproved(restraint, record.since) : restraint;
      if (config === undefined) return "no `scheduler.power` is configured";
      if (to === "wake") return null;
      if (pause !== null) return `the fleet is paused (${pause.reason})`;
      if (mode === "auto") return null;
      return mode === "observe" ? "mode observe: nothing is put to sleep" : "mode approve: waits for an operator (`evenkeel approve`)";
    },
    noteAwake: async (actor, picture) => {
      for (const { id, state, power, wokenAt } of picture.snapshot.nodes) {
        const record = picture.reading.power.get(id);
        // It reports although it was told to sleep, or because it was woken: either way it is awake, and its silence would be news.
        if (state === "unknown" || power || record === undefined || record.told === "awake") continue;
        const detail = record.told === "wake" ? "it reports again" : "it still reports, or again: it is not asleep";
        await tell(actor, id, { told: "awake", since: wokenAt ?? picture.reading.at }, "node-awake", detail);
      }
    },
    open: async (actor, { reading: { power } }, changes) => {
      for (const [node, { told }] of power) {
        if (told !== "close" || changes.some((change) => change.node === node && change.to === "sleep")) continue;
        const detail = "it is not put to sleep after all: it is needed, something has come there, or it may not sleep just now";
        await tell(actor, node, { told: "awake", since: nowSeconds() }, "node-awake", detail);
      }
    },
    carryOut: async (actor, picture, changes) => {
      const begun: PowerChange[] = [];
      for (const each of changes) {
        if (taken.has(each.node) || picture.reading.at - (failedAt.get(each.node) ?? 0) < RETRY_SECONDS) continue;
        const record = picture.reading.power.get(each.node);
        if (each.to === "sleep" && !isStillEmpty(each.node, picture)) continue;
        if (each.to === "sleep" && record?.told !== "close") {
          await tell(
            actor,
            each.node,
            { told: "close", since: nowSeconds(), ...(each.approved && { approved: true }) },
            "node-closed",
            each.because,
          );
          begun.push(each);
          continue;
        }
        if (each.to === "sleep" && !isReadSince(record!.since + (await redisAheadSeconds(actor.redis)), each.node, picture)) continue;
        const since = nowSeconds();
        if (each.to === "sleep") await runFor(actor, each, { told: "sleep", since }, (at) => ({ told: "awake", since: at }));
        else {
          const failed = record?.failedAt === undefined ? {} : { failedAt: record.failedAt };
          await runFor(actor, each, { told: "wake", since, ...failed }, (at) => ({ told: "sleep", since: 0, failedAt: at }));
        }
        begun.push(each);
      }
      return begun;
    },
    callAgain: async (actor, { reading }) => {
      if (config === undefined) return;
      for (const { id, sample } of reading.nodes) {
        const record = reading.power.get(id);
        if (sample !== null || record?.told !== "wake" || taken.has(id)) continue;
        if (reading.at - (record.calledAt ?? record.since) <= config.deadlineSeconds) continue;
        const because = `Wakes ${id} again: it was woken ${Math.round(reading.at - record.since)} s ago and has not reported since.`;
        const again: PowerRecord = { ...record, calledAt: nowSeconds() };
        await runFor(actor, { node: id, to: "wake", because }, again, () => again);
      }
    },
    close: async () => {
      await Promise.all(running.values());
    },
  };
}

function restrainApproved(now: Restraint, since: number): Restraint {
  return { ...approvedUnder(now), pause: now.pause !== null && now.pause.since >= since ? now.pause : null };
}

/** What was started there until it was closed is in such a sample: by then everybody could see that it is to sleep. @param since by Redis' clock */
function isReadSince(since: number, node: string, { reading }: FleetPicture): boolean {
  const sample = reading.nodes.find(({ id }) => id === node)?.sample;
  return !!sample && sample.at >= since + CLOCK_SKEW_SECONDS;
}

/** By the node's own newest sample and all records, whatever a plan says. */
function isStillEmpty(node: string, { reading, placed }: FleetPicture): boolean {
  const sample = reading.nodes.find(({ id }) => id === node)?.sample;
  if (sample === null || sample === undefined || sample.workloads.length > 0) return false;
  if (reading.openMigrations.some(({ from, to }) => from === node || to === node)) return false;
  return !placed.some((workload) => workload.node === node || workload.conflict.includes(node));
}
