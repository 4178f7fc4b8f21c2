import { nowSeconds } from "../../platform/clock.js";
import type { Config } from "../../platform/config.js";
import { asEvenkeelError } from "../../platform/errors.js";
import type { Logger } from "../../platform/log.js";
import type { PowerChange } from "../../policies/types.js";
import type { Restraint } from "../act/carry-out-plan.js";
import type { Actor } from "../act/start-migration.js";
import { recordAudit } from "../audit.js";
import type { FleetPicture } from "../fleet/build-snapshot.js";
import { type PowerRecord, writePower } from "./power-record.js";
import { runHook } from "./run-hook.js";

type PowerConfig = Config["scheduler"]["power"];

/** After a hook has failed its node is let be for so long. */
const RETRY_SECONDS = 30;

export interface PowerActs {
  /** Why a change is not made by itself; null = it is. What sleeps is woken in every mode. */
  heldBack(change: PowerChange, restraint: Pick<Restraint, "mode" | "pause">): string | null;
  /** Notes which nodes are awake again. */
  noteAwake(actor: Omit<Actor, "jobs">, picture: FleetPicture): Promise<void>;
  /** Notes each change in Redis, then runs its hook beside the tick. @returns those begun: none whose node is no longer empty, or whose hook runs or has just failed. */
  carryOut(actor: Omit<Actor, "jobs">, picture: FleetPicture, changes: readonly PowerChange[]): Promise<PowerChange[]>;
  /** Waits for the hooks under way. */
  close(): Promise<void>;
}

export function makePowerActs(config: PowerConfig, log: Logger): PowerActs {
  const running = new Map<string, Promise<void>>();
  /** Being begun, or under way: a tick and an operator may ask for the same at once. */
  const taken = new Set<string>();
  const failedAt = new Map<string, number>();

  const change = async ({ redis, keys, term }: Omit<Actor, "jobs">, { node, to, because }: PowerChange) => {
    const write = (record: PowerRecord) => writePower(redis, keys, node, record, term);
    const note = (kind: string, detail: string) =>
      recordAudit(redis, keys, { at: nowSeconds(), kind, actor: "scheduler", node, detail }, term);
    // First the record: from now on nobody places anything there, whatever becomes of this process.
    await write({ told: to, since: nowSeconds() });
    await note(to === "sleep" ? "node-put-to-sleep" : "node-woken", because);
    const hooked = runHook(config![to], node)
      .catch(async (error: Error) => {
        failedAt.set(node, nowSeconds());
        log.error({ node, err: error }, `the hook "${to}" failed`);
        await write(to === "sleep" ? { told: "awake", since: nowSeconds() } : { told: "sleep", since: 0 });
        await note(`${to}-failed`, error.message);
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

  return {
    heldBack: ({ to }, { mode, pause }) => {
      if (config === undefined) return "no `scheduler.power` is configured";
      if (to === "wake") return null;
      if (pause !== null) return `the fleet is paused (${pause.reason})`;
      if (mode === "auto") return null;
      return mode === "observe" ? "mode observe: nothing is put to sleep" : "mode approve: waits for an operator (`evenkeel approve`)";
    },
    noteAwake: async ({ redis, keys, term }, picture) => {
      for (const { id, state, power, wokenAt } of picture.snapshot.nodes) {
        const record = picture.reading.power.get(id);
        // It reports although it was told to sleep, or because it was woken: either way it is awake, and its silence would be news.
        if (state === "unknown" || power || record === undefined || record.told === "awake") continue;
        await writePower(redis, keys, id, { told: "awake", since: wokenAt ?? picture.reading.at }, term);
        const detail = record.told === "wake" ? "it reports again" : "it still reports, or again: it is not asleep";
        await recordAudit(redis, keys, { at: picture.reading.at, kind: "node-awake", actor: "scheduler", node: id, detail }, term);
      }
    },
    carryOut: async (actor, picture, changes) => {
      const begun: PowerChange[] = [];
      for (const each of changes) {
        if (taken.has(each.node) || picture.reading.at - (failedAt.get(each.node) ?? 0) < RETRY_SECONDS) continue;
        if (each.to === "sleep" && !isStillEmpty(each.node, picture)) continue;
        taken.add(each.node);
        try {
          await change(actor, each);
        } catch (error) {
          taken.delete(each.node);
          throw error;
        }
        begun.push(each);
      }
      return begun;
    },
    close: async () => {
      await Promise.all(running.values());
    },
  };
}

/** By the node's own newest sample and all records, whatever a plan says. */
function isStillEmpty(node: string, { reading, placed }: FleetPicture): boolean {
  const sample = reading.nodes.find(({ id }) => id === node)?.sample;
  if (sample === null || sample === undefined || sample.workloads.length > 0) return false;
  if (reading.openMigrations.some(({ from, to }) => from === node || to === node)) return false;
  return !placed.some((workload) => workload.node === node || workload.conflict.includes(node));
}
