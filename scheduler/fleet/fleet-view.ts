import { performance } from "node:perf_hooks";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import type { Keys } from "../../platform/keys.js";
import { completeConfig } from "../../policies/config.js";
import type { LiveSettings } from "../reload.js";
import { powerSavingWindow, type Windows } from "../windows.js";
import { buildPicture, type FleetPicture } from "./build-snapshot.js";
import { looksAhead, readingsNeeded } from "./look-back.js";
import { rememberFirstSeen } from "./maintenance.js";
import type { PlacedWorkload } from "./place-workloads.js";
import { makeFleetMemory, readFleet } from "./read-fleet.js";
import { rememberRecentUse } from "./recent-use.js";
import { rememberLoads } from "./remember-loads.js";

export interface FleetView {
  /** A picture at most this old; requests that come together share one reading. */
  picture(maximumAgeSeconds: number): Promise<FleetPicture>;
}

export interface ViewOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly sampleTtlSeconds: number;
  readonly intervalSeconds: number;
  readonly policies: LiveSettings;
  readonly windows: Windows;
  readonly powerDeadlineSeconds: number;
}

/** A third of the hold time: at its end the smoothed reading has come within 5 % of a load that held. */
const SMOOTHING_PER_HOLD = 1 / 3;

export function makeFleetView(options: ViewOptions): FleetView {
  const { redis, keys, sampleTtlSeconds, intervalSeconds, policies, windows } = options;
  const memory = makeFleetMemory();
  const firstSeen = rememberFirstSeen();
  const recentUse = rememberRecentUse();
  const loads = rememberLoads();
  let remembered: ReadonlyMap<string, PlacedWorkload> = new Map();
  let endedNames: ReadonlyMap<string, readonly string[]> = new Map();
  // The age is taken from the monotonic clock: the wall clock may be set back, and then an old picture would look new for long.
  let latest: { picture: FleetPicture; begunMilliseconds: number } | null = null;
  let underWay: Promise<FleetPicture> | null = null;

  const read = async () => {
    const begunMilliseconds = performance.now();
    const at = nowSeconds();
    const config = policies.current();
    const { overload, balance, consolidate } = completeConfig(config);
    const { holdSeconds } = overload;
    const smoothingSeconds = Math.max(holdSeconds * SMOOTHING_PER_HOLD, intervalSeconds);
    const historyLength = readingsNeeded(config, { intervalSeconds });
    const horizonSeconds = looksAhead(config) ? Math.max(balance.forecastSeconds, consolidate.leadSeconds) : null;
    const reading = await readFleet(redis, keys, { at, sampleTtlSeconds, historyLength, horizonSeconds, memory });
    const samples = reading.nodes.flatMap(({ sample }) => sample ?? []);
    if (consolidate.enabled) loads.learn(samples, consolidate.forecast);
    const open = windows.open(at);
    const powerSaving = powerSavingWindow(open, windows.limitPowerSaving);
    const { powerDeadlineSeconds } = options;
    const onlyAsked = policies.mode() !== "auto";
    const kept = { firstSeen, remembered, endedNames, recentUse, loads };
    const times = { smoothingSeconds, powerDeadlineSeconds, sampleTtlSeconds };
    const picture = buildPicture(reading, { windows: open, onlyAsked, powerSaving, ...kept, ...times });
    endedNames = new Map(picture.snapshot.nodes.map(({ id, endedNames: names = [] }) => [id, names]));
    remembered = new Map(picture.placed.map((workload) => [workload.id, workload]));
    latest = { picture, begunMilliseconds };
    return picture;
  };
  return {
    picture: async (maximumAgeSeconds) => {
      const isFresh = latest !== null && performance.now() - latest.begunMilliseconds <= maximumAgeSeconds * 1000;
      if (latest !== null && isFresh && maximumAgeSeconds > 0) return latest.picture;
      // One begun before the caller's own write might not show it, unless the caller is content with an older one.
      if (underWay !== null && maximumAgeSeconds === 0) await underWay.catch(() => {});
      underWay ??= read().finally(() => {
        underWay = null;
      });
      return underWay;
    },
  };
}
