import { isSavingPower } from "../consolidate/policy.js";
import type { Policy } from "../policy.js";
import { levelFleet } from "./level-fleet.js";

export const balance: Policy = {
  name: "balance",
  isEnabled: (config) => config.balance.enabled,
  // Levelling would carry workloads back to the nodes that are being emptied.
  plan: (context) => {
    if (!isSavingPower(context.fleet.snapshot, context.config.consolidate, context.now)) levelFleet(context);
  },
};
