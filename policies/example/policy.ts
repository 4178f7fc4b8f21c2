import { addSkip } from "../context.js";
import type { NodeView } from "../fleet.js";
import type { Policy } from "../policy.js";
import { refuse } from "../sentences.js";
import { levelCandidates } from "../stages/candidates.js";
import { placeElsewhere } from "../stages/place-elsewhere.js";

/** Keeps nodes with a certain label empty while others have room. The living example of ../README.md: copy this folder. */
export const example: Policy = {
  name: "example",
  isEnabled: (config) => config.example.enabled,
  plan: (context) => {
    const { fleet, config, now } = context;
    const isKeptEmpty = (node: NodeView) => node.state.labels[config.example.label] === "true";
    for (const node of fleet.nodes) {
      if (node.load === null || node.state.maintenance !== null || !isKeptEmpty(node)) continue;
      const why = `${node.id} is to be kept empty`;
      const whyNot = (target: NodeView) => (isKeptEmpty(target) ? "not-needed" : null);
      for (const entry of levelCandidates(node, fleet, config, now)) {
        if ("reason" in entry) addSkip(context, refuse(entry.workload, entry.reason, config, now));
        else placeElsewhere(entry, { reason: "placement", why, whyNot }, context);
      }
    }
  },
};
