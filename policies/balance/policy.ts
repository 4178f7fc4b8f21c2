import type { Policy } from "../policy.js";
import { levelFleet } from "./level-fleet.js";

export const balance: Policy = {
  name: "balance",
  isEnabled: (config) => config.balance.enabled,
  plan: levelFleet,
};
