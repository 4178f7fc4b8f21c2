import type { Judgement, PlanContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import type { Policy } from "../policy.js";
import { plural } from "../words.js";
import { emptyNodes } from "./drain.js";
import { provesEmpty } from "./drain-status.js";

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
  if (left === 0 && moves === 0) {
    const isProven = provesEmpty(node.state.history.at(-1)?.at, node.state.maintenance);
    if (isProven) return { node: node.id, verdict: "drained", because: `Empty, under maintenance (${reason}).`, hot: [] };
    const because = `Under maintenance (${reason}): nothing was there before that was asked for; its next reading will show whether anything is.`;
    return { node: node.id, verdict: "draining", because, hot: [] };
  }
  const off = config.maintenance.enabled ? "" : "; draining is switched off, it is only cordoned";
  const because = `Under maintenance (${reason}): ${plural(left, "workload")} left, ${plural(moves, "migration")} under way${off}.`;
  return { node: node.id, verdict: "draining", because, hot: [] };
}
