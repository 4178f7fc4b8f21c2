import { completeConfig, type PolicyConfig } from "../../policies/config.js";

/** More readings of a node are not read, whatever is set: a tick must stay short. */
const HISTORY_LIMIT = 720;

/** An episode of overload that ebbs between the two bounds is forgotten after so many hold times … */
const EPISODE_PER_HOLD = 20;
/** … and no sooner than this: a large workload takes minutes to leave. */
const LEAST_EPISODE_SECONDS = 1200;

/** More than the time alone asks for: readings do not come by the clock. */
const SPARE_READINGS = 10;

/** How often a node's collector reads it, and how many readings it keeps. */
export interface Rhythm {
  readonly intervalSeconds: number;
  readonly historyLength: number;
}

/** How many of a node's newest readings the policies need. */
export function readingsNeeded(config: PolicyConfig, { intervalSeconds }: Pick<Rhythm, "intervalSeconds">): number {
  const { overload, balance } = completeConfig(config);
  const episodeSeconds = Math.max(EPISODE_PER_HOLD * overload.holdSeconds, LEAST_EPISODE_SECONDS);
  const lookBackSeconds = Math.max(episodeSeconds, looksAhead(config) ? balance.windowSeconds : 0);
  return Math.min(HISTORY_LIMIT, Math.ceil(lookBackSeconds / intervalSeconds) + SPARE_READINGS);
}

/** Whether anything is decided by what nodes will use, and used over `balance.windowSeconds`. */
export function looksAhead(config: PolicyConfig): boolean {
  const { balance, consolidate } = completeConfig(config);
  return balance.enabled || consolidate.enabled;
}

/** One of the policies' settings that what is set besides it cannot serve. */
export interface WrongSetting {
  readonly path: readonly string[];
  readonly why: string;
}

/** Times that a node's readings can never fill: what waits for them would be off, and nothing would say so. */
export function beyondReach(config: PolicyConfig, { intervalSeconds, historyLength }: Rhythm): WrongSetting[] {
  const { overload, balance } = completeConfig(config);
  const readings = Math.min(HISTORY_LIMIT, historyLength);
  const refuse = (path: readonly string[], mostReadings: number): WrongSetting => {
    const most = Number((mostReadings * intervalSeconds).toFixed(3));
    const why = `must be at most ${most}: the policies look back on ${readings} readings of a node (collector.historyLength, ${HISTORY_LIMIT} at most), ${intervalSeconds} s apart (collector.intervalSeconds)`;
    return { path, why };
  };
  const held = Math.max(0, readings - SPARE_READINGS);
  return [
    ...(overload.enabled && overload.holdSeconds > held * intervalSeconds ? [refuse(["overload", "holdSeconds"], held)] : []),
    ...(looksAhead(config) && balance.windowSeconds > readings * intervalSeconds ? [refuse(["balance", "windowSeconds"], readings)] : []),
  ];
}
