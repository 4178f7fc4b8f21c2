/** What an operator may set of the policies. Ratios 0..1 of capacity, times in seconds. */
export interface PolicyConfig {
  readonly overload: {
    readonly enabled: boolean;
    /** A node is overloaded once its CPU stayed above this for holdSeconds … */
    readonly cpuDetectRatio: number;
    /** … and is then brought below this lower bound (the dead band against ping-pong). */
    readonly cpuFixRatio: number;
    readonly memoryDetectRatio: number;
    readonly memoryFixRatio: number;
    readonly holdSeconds: number;
    /**
     * After an arrival or a departure a node is neither judged nor chosen for levelling for this long: its readings still
     * mix before and after. Default: holdSeconds, at most 30.
     */
    readonly settleSeconds?: number;
    /** A move must lower the imbalance of the two nodes it touches by at least this share of it. */
    readonly minimumGainRatio: number;
  };
  readonly maintenance: { readonly enabled: boolean };
  /** No destination may be planned above these, during a move or after it. */
  readonly headroom: { readonly cpuRatio: number; readonly memoryRatio: number };
  /** A workload rests this long after a move; drains are exempt. */
  readonly cooldownSeconds: number;
  readonly concurrency: { readonly perNode: number; readonly fleet: number };
}

export const DEFAULT_POLICY_CONFIG: PolicyConfig = {
  overload: {
    enabled: true,
    cpuDetectRatio: 0.8,
    cpuFixRatio: 0.65,
    memoryDetectRatio: 0.9,
    memoryFixRatio: 0.8,
    holdSeconds: 60,
    minimumGainRatio: 0.05,
  },
  maintenance: { enabled: true },
  headroom: { cpuRatio: 0.75, memoryRatio: 0.9 },
  cooldownSeconds: 600,
  concurrency: { perNode: 1, fleet: 4 },
};
