import type { LoadPast } from "../types.js";

export interface ForecastConfig {
  /** A reading this old weighs half as much as the newest. */
  readonly halfLifeSeconds: number;
  /** Before anything is known, the deviation is taken to be this share of the workload's limit … */
  readonly priorDeviationRatio: number;
  /** … and that belief weighs as much as readings over this long. */
  readonly priorSeconds: number;
}

/** What a workload is expected to use for the next while, in cores. */
export interface LoadForecast {
  readonly mean: number;
  /** Standard deviation of one reading around the mean. */
  readonly deviation: number;
}

/** No reading stands for longer: of the time before it nothing is known. */
const MOST_SECONDS = 300;

/**
 * Takes one more reading into what is remembered of a workload: mean and variance, exponentially weighted by age (West, "Updating mean and
 * variance estimates", 1979). A reading stands for the time since the one before.
 */
export function learnLoad(past: LoadPast | null, cores: number, at: number, { halfLifeSeconds }: ForecastConfig): LoadPast {
  if (past === null) return { at, seconds: 0, mean: cores, variance: 0 };
  const elapsed = at - past.at;
  if (elapsed <= 0) return past;
  const kept = past.seconds * 0.5 ** (elapsed / halfLifeSeconds);
  const seconds = kept + Math.min(elapsed, MOST_SECONDS);
  const share = kept / seconds;
  const mean = share * past.mean + (1 - share) * cores;
  const variance = share * (past.variance + (past.mean - mean) ** 2) + (1 - share) * (cores - mean) ** 2;
  return { at, seconds, mean, variance };
}

/**
 * What to expect of a workload that uses so much now and has the limit `most`. What was seen for a short while leans on the prior, so that a
 * workload seen once is not taken for a steady one.
 */
export function forecastLoad(past: LoadPast | null, cores: number, most: number, config: ForecastConfig): LoadForecast {
  const { priorSeconds, priorDeviationRatio } = config;
  const { seconds, mean, variance } = past ?? { seconds: 0, mean: cores, variance: 0 };
  const prior = (priorDeviationRatio * most) ** 2;
  const whole = seconds + priorSeconds;
  return { mean, deviation: Math.sqrt(whole === 0 ? variance : (seconds * variance + priorSeconds * prior) / whole) };
}
