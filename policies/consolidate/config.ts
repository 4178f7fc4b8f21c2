import type { ForecastConfig } from "../forecast/load-forecast.js";

export interface ConsolidateConfig {
  /** Whether nodes labelled `io.evenkeel.may-sleep=true` are emptied and put to sleep while others have room. Needs the scheduler's `power`. */
  readonly enabled: boolean;
  /** Nodes are woken so long before a window of power saving ends, or more is expected to be asked for than those awake can give. */
  readonly leadSeconds: number;
  /** A node that was woken, or was to sleep and is not any more, stays awake for so long. */
  readonly awakeSeconds: number;
  /** Share of their CPU load by which those that stay awake must be able to grow before another is put to sleep. */
  readonly marginRatio: number;
  /** How a workload's load is foreseen. */
  readonly forecast: ForecastConfig;
  /** A node is filled until its expected CPU plus this many deviations reaches `fillRatio` of its capacity, or the bound of overload. */
  readonly fillDeviations: number;
  readonly fillRatio: number;
  /** A node is emptied only if what it draws when idle, over this long, … */
  readonly paybackSeconds: number;
  /** … is more than this for each of its workloads. */
  readonly wattHoursPerMove: number;
}

export const DEFAULT_CONSOLIDATE_CONFIG: ConsolidateConfig = {
  enabled: false,
  leadSeconds: 300,
  awakeSeconds: 1800,
  marginRatio: 0.1,
  forecast: { halfLifeSeconds: 3600, priorDeviationRatio: 0.1, priorSeconds: 1800 },
  fillDeviations: 2.5,
  fillRatio: 1,
  paybackSeconds: 3600,
  wattHoursPerMove: 8,
};
