export interface MaintenanceConfig {
  readonly enabled: boolean;
  /** Moves others out of the way of a workload that must leave and fits nowhere; absent = yes. */
  readonly makeRoom?: boolean;
}

export const DEFAULT_MAINTENANCE_CONFIG: MaintenanceConfig = { enabled: true, makeRoom: true };
