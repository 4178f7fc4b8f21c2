import { type BalanceConfig, DEFAULT_BALANCE_CONFIG } from "./balance/config.js";
import { type ConsolidateConfig, DEFAULT_CONSOLIDATE_CONFIG } from "./consolidate/config.js";
import { type CostConfig, DEFAULT_COST_CONFIG } from "./cost/config.js";
import { DEFAULT_EXAMPLE_CONFIG, type ExampleConfig } from "./example/config.js";
import { DEFAULT_FAIRNESS_CONFIG, type FairnessConfig } from "./fairness/config.js";
import { DEFAULT_HEALTH_CONFIG, type HealthConfig } from "./health/config.js";
import { DEFAULT_MAINTENANCE_CONFIG, type MaintenanceConfig } from "./maintenance/config.js";
import { DEFAULT_OVERLOAD_CONFIG, type OverloadConfig } from "./overload/config.js";
import { DEFAULT_PLACEMENT_CONFIG, type PlacementConfig } from "./placement/config.js";

/**
 * What an operator may set of the policies. Ratios 0..1 of capacity, times in seconds. Sections that may be left out have
 * the defaults of their own folder.
 */
export interface PolicyConfig {
  readonly overload: OverloadConfig;
  readonly maintenance: MaintenanceConfig;
  /** No destination may be planned above these, during a move or after it. */
  readonly headroom: { readonly cpuRatio: number; readonly memoryRatio: number };
  /** A workload rests this long after a move; drains and evacuations are exempt. */
  readonly cooldownSeconds: number;
  readonly concurrency: {
    /** Migrations at once that touch a node, at either end. */
    readonly perNode: number;
    /** … and in the whole fleet. */
    readonly fleet: number;
    /** Fewer at once while blackouts are longer than this; absent or null = than three times what is usual here. */
    readonly blackoutGoalSeconds?: number | null;
  };
  /** At most so many moves an hour for the sake of levelling; absent or null = no limit. Drains, evacuations and operators are exempt. */
  readonly movesPerHour?: number | null;
  /** A move that was refused or failed is not asked for again for so long; for a drain or an evacuation, and where the cause passes by itself, a minute at first and up to so long if it fails again; absent = as the default says. See policies/refusal/README.md. */
  readonly refusalRestSeconds?: number;
  readonly balance?: BalanceConfig;
  readonly health?: HealthConfig;
  readonly placement?: PlacementConfig;
  readonly fairness?: FairnessConfig;
  readonly cost?: CostConfig;
  readonly consolidate?: ConsolidateConfig;
  readonly example?: ExampleConfig;
}

/** Every section present. */
export type CompleteConfig = Required<PolicyConfig>;

export const DEFAULT_POLICY_CONFIG: CompleteConfig = {
  overload: DEFAULT_OVERLOAD_CONFIG,
  maintenance: DEFAULT_MAINTENANCE_CONFIG,
  headroom: { cpuRatio: 0.75, memoryRatio: 0.9 },
  cooldownSeconds: 600,
  concurrency: { perNode: 1, fleet: 4 },
  movesPerHour: null,
  refusalRestSeconds: 600,
  balance: DEFAULT_BALANCE_CONFIG,
  health: DEFAULT_HEALTH_CONFIG,
  placement: DEFAULT_PLACEMENT_CONFIG,
  fairness: DEFAULT_FAIRNESS_CONFIG,
  cost: DEFAULT_COST_CONFIG,
  consolidate: DEFAULT_CONSOLIDATE_CONFIG,
  example: DEFAULT_EXAMPLE_CONFIG,
};

export function completeConfig(config: PolicyConfig): CompleteConfig {
  const given = Object.entries(config).filter(([, section]) => section !== undefined);
  return { ...DEFAULT_POLICY_CONFIG, ...Object.fromEntries(given) };
}
