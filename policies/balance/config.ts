export interface BalanceConfig {
  /** Whether the fleet is levelled though no node is in trouble. */
  readonly enabled: boolean;
  /** What counts how much when nodes are compared. */
  readonly cpuWeight: number;
  /** … and memory. */
  readonly memoryWeight: number;
  /** Nodes are judged by their mean over this long, so that a swing is not chased. */
  readonly windowSeconds: number;
  /** A target counts as full as it is at its busy times: the percentile of its window … */
  readonly peakRatio: number;
  /** … or as it is expected to be this much later, with one standard error added, if that is more. 0 = no forecast. */
  readonly forecastSeconds: number;
  /** Levelling begins once the fleet's weighted standard deviation is above this, or a single node three times as far off … */
  readonly startRatio: number;
  /** … and goes on, with as many further plans as it takes, until it is below this. */
  readonly stopRatio: number;
  /** A move must take away at least this share of the distance from level of the two nodes it touches, by itself or once those planned with it are done. */
  readonly minimumGainRatio: number;
  /** So many moves for balance in one plan at most. */
  readonly movesPerPlan: number;
}

export const DEFAULT_BALANCE_CONFIG: BalanceConfig = {
  enabled: false,
  cpuWeight: 1,
  memoryWeight: 0.5,
  windowSeconds: 300,
  peakRatio: 0.9,
  forecastSeconds: 300,
  startRatio: 0.1,
  stopRatio: 0.05,
  minimumGainRatio: 0.1,
  movesPerPlan: 8,
};
