import type { Judgement, PlanContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import type { Policy } from "../policy.js";
import { plural } from "../words.js";
import { emptyNodes } from "./drain.js";

export const maintenance: Policy = {
  name: "maintenance",
  // It judges even when draining is switched off: the flag still keeps newcomers away, and people should see that.
  isEnabled: () => true,
  judge: (node, context) => (node.state.maintenance === null ? null : judgeDrain(node, context)),
  plan: (context) => {
    if (!context.config.maintenance.enabled) return;
    const nodes = context.fleet.nodes.filter(({ state }) => state.maintenance !== null);
    emptyNodes(nodes, "maintenance", (node) => `${node.id} is under maintenance`, context);
  },
};

function judgeDrain(node: NodeView, { config, fleet }: PlanContext): Judgement {
  const left = node.workloads.length;
  const moves = fleet.migrations.filter(({ from, to }) => from === node.id || to === node.id).length;
  const reason = node.state.maintenance?.reason || "no reason given";
  if (left === 0 && moves === 0) return { node: node.id, verdict: "drained", because: `Empty, under maintenance (${reason}).`, hot: [] };
  const off = config.maintenance.enabled ? "" : "; draining is switched off, it is only cordoned";
  const because = `Under maintenance (${reason}): ${plural(left, "workload")} left, ${plural(moves, "migration")} under way${off}.`;
  return { node: node.id, verdict: "draining", because, hot: [] };
}
