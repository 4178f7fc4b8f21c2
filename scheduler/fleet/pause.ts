import { type FirstSeen, readFlags } from "./maintenance.js";

/** An operator's wish that nothing be moved in the whole fleet but what operators ask for. */
export interface Pause {
  readonly since: number;
  readonly reason: string;
}

/** Written like a maintenance flag, of which a deadline would mean nothing here. Null: there is none. */
export function parsePause(text: string | null, firstSeen: FirstSeen, now: number): Pause | null {
  const [flag] = readFlags({ key: "the fleet's pause", flag: text, file: null }, firstSeen, now);
  return flag === undefined ? null : { since: flag.since, reason: flag.reason };
}
