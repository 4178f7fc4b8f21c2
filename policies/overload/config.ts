export interface OverloadConfig {
  /** Whether overloaded nodes are relieved. */
  readonly enabled: boolean;
  /** A node is overloaded once its CPU stayed above this for holdSeconds … */
  readonly cpuDetectRatio: number;
  /** … and is then brought below this lower bound (the dead band against ping-pong). */
  readonly cpuFixRatio: number;
  /** The same of memory: above this … */
  readonly memoryDetectRatio: number;
  /** … and below this. */
  readonly memoryFixRatio: number;
  /** How long a node must have been above before it counts as overloaded. */
  readonly holdSeconds: number;
  /**
   * After an arrival or a departure a node is neither judged nor chosen for levelling for this long: its readings still
   * mix before and after. Default: holdSeconds, at most 30.
   */
  readonly settleSeconds?: number;
  /** A move must take away at least this share of the imbalance of its two nodes, or of what its source is above the fix bound. */
  readonly minimumGainRatio: number;
  /** Lets others move out of the way where no single move relieves a node for want of room; absent = yes. */
  readonly makeRoom?: boolean;
}

export const DEFAULT_OVERLOAD_CONFIG: OverloadConfig = {
  enabled: true,
  cpuDetectRatio: 0.8,
  cpuFixRatio: 0.65,
  memoryDetectRatio: 0.9,
  memoryFixRatio: 0.8,
  holdSeconds: 60,
  minimumGainRatio: 0.02,
  makeRoom: true,
};
