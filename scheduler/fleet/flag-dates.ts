import { EvenkeelError } from "../../platform/errors.js";
import { loadLua } from "../../platform/redis.js";
import type { Actor } from "../act/start-migration.js";
import type { FleetPicture } from "./build-snapshot.js";
import type { FirstSeen } from "./maintenance.js";
import type { FleetReading } from "./read-fleet.js";

const datesScript = loadLua("scheduler/lua/flag-dates.lua");

/** Flags without a date of their own, by where and in which words they stand, and when each was first seen. */
export type FlagDates = ReadonlyMap<string, number>;

export function parseFlagDates(hash: Readonly<Record<string, string>>): FlagDates {
  return new Map(Object.entries(hash).flatMap(([flag, at]) => (Number.isFinite(Number(at)) ? [[flag, Number(at)]] : [])));
}

/** As a leader has noted it in Redis; until one has, as this process remembers it. `standing` grows with each flag that is asked for. */
export function datesOf({ flagDates }: Pick<FleetReading, "flagDates">, memory: FirstSeen): FirstSeen & { readonly standing: FlagDates } {
  const standing = new Map<string, number>();
  return {
    standing,
    at: (flag, now) => {
      const at = flagDates.get(flag) ?? memory.at(flag, now);
      standing.set(flag, at);
      return at;
    },
  };
}

/**
 * Notes in Redis what has been seen for the first time, so that a restart does not make it younger, and forgets what stands no more. A file on a
 * node that is silent may still be there. @throws FENCED when a newer leader exists.
 */
export async function noteFlagDates(
  { redis, keys, term }: Pick<Actor, "redis" | "keys" | "term">,
  { reading, undatedFlags }: FleetPicture,
): Promise<void> {
  const silent = reading.nodes.flatMap(({ id, sample }) => (sample === null ? [`${id} `] : []));
  const fresh = [...undatedFlags].filter(([flag]) => !reading.flagDates.has(flag));
  const over = [...reading.flagDates.keys()].filter((flag) => !undatedFlags.has(flag) && !silent.some((node) => flag.startsWith(node)));
  if (fresh.length === 0 && over.length === 0) return;
  const reply = await datesScript(redis, [keys.flagDates, keys.leader], [term, fresh.length, ...fresh.flat(), ...over]);
  if (reply === "fenced") throw new EvenkeelError("FENCED", `term ${term} is over`);
}
