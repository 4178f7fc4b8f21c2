import { addSkip, type PlanContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import type { Policy } from "../policy.js";
import { refuse } from "../sentences.js";
import { levelCandidates } from "../stages/candidates.js";
import { placeElsewhere } from "../stages/place-elsewhere.js";

/** Keeps nodes with a certain label empty while others have room. The living example of ../README.md: copy this folder. */
export const example: Policy = {
  name: "example",
  isEnabled: (config) => config.example.enabled,
  avoids: isKeptEmpty,
  plan: (context) => {
    const { fleet, config, now } = context;
    for (const node of fleet.nodes) {
      if (node.load === null || node.state.maintenance !== null || !isKeptEmpty(node, context)) continue;
      for (const entry of levelCandidates(node, fleet, config, now)) {
        if ("reason" in entry) addSkip(context, refuse(entry.workload, entry.reason, config, now));
        else placeElsewhere(entry, { reason: "placement", why: `${node.id} is to be kept empty` }, context);
      }
    }
  },
};

function isKeptEmpty(node: NodeView, { config }: PlanContext): boolean {
  return node.state.labels[config.example.label] === "true";
}
