/** What a workload is expected to use for the next while, in the unit of its samples. */
export interface LoadForecast {
  readonly mean: number;
  /** Standard deviation of one reading around the mean. */
  readonly deviation: number;
}

export interface ForecastConfig {
  /** A sample this many samples old weighs half as much as the newest. */
  readonly halfLifeSamples: number;
  /** Before anything is known, the deviation is taken to be this share of the workload's limit … */
  readonly priorDeviationRatio: number;
  /** … and that belief weighs as much as this many samples. */
  readonly priorSamples: number;
}

/**
 * Exponentially weighted mean and deviation of a workload's past, newest sample first. With few samples the deviation
 * leans on the prior, so that a workload seen once is not taken for a steady one. No samples: the limit itself is expected.
 */
export function forecastLoad(samples: readonly number[], limit: number, config: ForecastConfig): LoadForecast {
  if (samples.length === 0) return { mean: limit, deviation: 0 };
  const decay = 0.5 ** (1 / config.halfLifeSamples);
  let weight = 1;
  let total = 0;
  let sum = 0;
  let squares = 0;
  for (const sample of samples) {
    total += weight;
    sum += weight * sample;
    squares += weight * sample * sample;
    weight *= decay;
  }
  const mean = sum / total;
  const spread = Math.max(0, squares / total - mean * mean);
  const prior = (config.priorDeviationRatio * limit) ** 2;
  const variance = (total * spread + config.priorSamples * prior) / (total + config.priorSamples);
  return { mean, deviation: Math.sqrt(variance) };
}
