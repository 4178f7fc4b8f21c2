export interface MaintenanceConfig {
  /** Off: a node under maintenance gets nothing new, but is not emptied. */
  readonly enabled: boolean;
  /** Moves others out of the way of a workload that must leave and fits nowhere; absent = yes. */
  readonly makeRoom?: boolean;
}

export const DEFAULT_MAINTENANCE_CONFIG: MaintenanceConfig = { enabled: true, makeRoom: true };
