import type { HealthSignKind } from "../types.js";

export interface HealthConfig {
  /** Whether signs of failing count. */
  readonly enabled: boolean;
  /** Signs on which a node is emptied at once: it will not come back by itself. */
  readonly evacuateOn: readonly HealthSignKind[];
  /** Signs on which nothing new is placed on a node. Those above are among them without being named. */
  readonly cordonOn: readonly HealthSignKind[];
}

export const DEFAULT_HEALTH_CONFIG: HealthConfig = {
  enabled: true,
  evacuateOn: ["disk-failing", "memory-errors", "overheating"],
  cordonOn: ["read-only-filesystem", "out-of-memory-kills", "pressure-stall", "peers-lost"],
};
