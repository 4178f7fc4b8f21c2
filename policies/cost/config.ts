export interface CostConfig {
  /** A move for levelling must pay within this long. 0 = cost is not weighed. */
  readonly horizonSeconds: number;
  /** How many seconds of overload one second of blackout is worth … */
  readonly blackoutWeight: number;
  /** … and one second of transfer, which burdens both ends. */
  readonly transferWeight: number;
  /** Taken for the link of a node where none was measured. */
  readonly linkBytesPerSecond: number;
  /** Freezing and resuming take this long even with no memory at all. */
  readonly fixedBlackoutSeconds: number;
  /** A cold move waits this long for the program to end, where none of its own has told: as long as Docker has patience. */
  readonly stopSeconds: number;
}

export const DEFAULT_COST_CONFIG: CostConfig = {
  horizonSeconds: 600,
  blackoutWeight: 5,
  transferWeight: 0.2,
  linkBytesPerSecond: 100_000_000,
  fixedBlackoutSeconds: 0.5,
  stopSeconds: 10,
};
