/** Held on the destination from reserve to close, so that policies and other migrations see the room as taken. */
export interface Reservation {
  readonly migrationId: string;
  readonly workload: string;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  /** Epoch seconds after which a forgotten reservation no longer counts. */
  readonly expiresAt: number;
}

/** Names of the executor's metrics; docs/metrics.md explains them. */
export const METRICS = {
  blackoutSeconds: "evenkeel_migration_blackout_seconds",
  stageSeconds: "evenkeel_migration_stage_duration_seconds",
  migrations: "evenkeel_migrations_total",
  bytes: "evenkeel_migration_bytes_total",
  active: "evenkeel_migrations_active",
} as const;
