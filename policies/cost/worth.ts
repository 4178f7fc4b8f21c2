import type { MoveCost } from "../types.js";
import type { CostConfig } from "./config.js";

/** What a move costs in seconds of overload: the common coin of benefit and cost. */
export function priceOf(cost: MoveCost, config: CostConfig): number {
  return cost.blackoutSeconds * config.blackoutWeight + cost.seconds * config.transferWeight;
}

/** `relief`: the share of the trouble (0..1) that the move takes away; it is worth that share of the horizon. */
export function isWorthItsCost(relief: number, cost: MoveCost, config: CostConfig): boolean {
  return config.horizonSeconds === 0 || relief * config.horizonSeconds >= priceOf(cost, config);
}
