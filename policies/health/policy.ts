import { emptyNodes } from "../maintenance/drain.js";
import type { Policy } from "../policy.js";
import { plural } from "../words.js";
import { whyDoubted, whyEvacuated } from "./judge.js";

export const health: Policy = {
  name: "health",
  isEnabled: (config) => config.health.enabled,
  judge: (node, { config }) => {
    const sign = whyDoubted(node, config.health);
    if (sign === null) return null;
    const left = plural(node.workloads.length, "workload");
    const action = whyEvacuated(node, config.health) ? `it is being emptied, ${left} left` : "nothing new is placed there";
    return { node: node.id, verdict: "suspect", because: `${sign.kind}: ${sign.detail}; ${action}.`, hot: [] };
  },
  plan: (context) => {
    const { health: config } = context.config;
    const failing = context.fleet.nodes.filter((node) => node.state.maintenance === null && whyEvacuated(node, config) !== null);
    emptyNodes(failing, "health", (node) => `${node.id} may fail soon (${whyEvacuated(node, config)!.kind})`, context);
  },
};
