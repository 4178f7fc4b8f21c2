import { completeConfig, type PolicyConfig } from "../../policies/config.js";

/** More readings of a node are not read, whatever is set: a tick must stay short. */
const HISTORY_LIMIT = 720;

/** An episode of overload that ebbs between the two bounds is forgotten after so many hold times … */
const EPISODE_PER_HOLD = 20;
/** … and no sooner than this: a large workload takes minutes to leave. */
const LEAST_EPISODE_SECONDS = 1200;

/** More than the time alone asks for: readings do not come by the clock. */
const SPARE_READINGS = 10;

/** How often a node is read. */
export interface Rhythm {
  readonly intervalSeconds: number;
}

/** How many of a node's newest readings the policies need. */
export function readingsNeeded(config: PolicyConfig, { intervalSeconds }: Rhythm): number {
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
