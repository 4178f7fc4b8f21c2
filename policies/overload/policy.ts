import type { Policy } from "../policy.js";
import { judgeLoad } from "./judge.js";
import { relieveOverload } from "./relieve.js";

export const overload: Policy = {
  name: "overload",
  isEnabled: (config) => config.overload.enabled,
  judge: judgeLoad,
  plan: relieveOverload,
};
