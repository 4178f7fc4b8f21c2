export interface PlacementConfig {
  /** Moves workloads that were started where their own labels forbid it. The labels bind every other move whatever this says. */
  readonly repair: boolean;
}

export const DEFAULT_PLACEMENT_CONFIG: PlacementConfig = { repair: false };
