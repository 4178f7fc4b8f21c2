import { emptyNodes } from "../maintenance/drain.js";
import { judgeLoad } from "../overload/judge.js";
import type { Policy } from "../policy.js";
import { plural } from "../words.js";
import { mayBeRelieved, whyDoubted, whyEvacuated } from "./judge.js";

export const health: Policy = {
  name: "health",
  isEnabled: (config) => config.health.enabled,
  judge: (node, context) => {
    const { config } = context;
    const sign = whyDoubted(node, config.health);
    if (sign === null) return null;
    const left = plural(node.workloads.length, "workload");
    const action = whyEvacuated(node, config.health) ? `it is being emptied, ${left} left` : "nothing new is placed there";
    const because = `${sign.kind}: ${sign.detail}; ${action}`;
    const load = config.overload.enabled && mayBeRelieved(node, config.health) ? judgeLoad(node, context) : null;
    if (load?.verdict !== "overloaded") return { node: node.id, verdict: "suspect", because: `${because}.`, hot: [] };
    return { node: node.id, verdict: "suspect", because: `${because}, and it is relieved: ${load.because}`, hot: load.hot };
  },
  plan: (context) => {
    const { health: config } = context.config;
    const failing = context.fleet.nodes.filter((node) => node.state.maintenance === null && whyEvacuated(node, config) !== null);
    emptyNodes(failing, "health", (node) => `${node.id} may fail soon (${whyEvacuated(node, config)!.kind})`, context);
  },
};
