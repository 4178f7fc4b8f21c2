export interface FairnessConfig {
  /** A workload is moved for levelling at most so often in 24 hours. */
  readonly movesPerDay: number;
  /** Each move of the last 24 hours after the first multiplies the cool-down by this. */
  readonly cooldownGrowth: number;
}

export const DEFAULT_FAIRNESS_CONFIG: FairnessConfig = { movesPerDay: 6, cooldownGrowth: 2 };
