import type { Judgement, PlanContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { describeLoad } from "../overload/judge.js";
import type { Policy } from "../policy.js";

/** What each node is in, with a sentence that holds the numbers: the word of the first policy that has one. */
export function judgeNodes(policies: readonly Policy[], context: PlanContext): Map<string, Judgement> {
  return new Map(context.fleet.nodes.map((node) => [node.id, judgeNode(node, policies, context)]));
}

function judgeNode(node: NodeView, policies: readonly Policy[], context: PlanContext): Judgement {
  if (node.load === null) return { node: node.id, verdict: "unknown", because: sayUnknown(node), hot: [] };
  for (const policy of policies) {
    const judgement = policy.judge?.(node, context);
    if (judgement) return judgement;
  }
  const cordon = node.state.cordoned ? "; cordoned" : "";
  return { node: node.id, verdict: "level", because: `${describeLoad(node)}${cordon}.`, hot: [] };
}

function sayUnknown(node: NodeView): string {
  const why = node.state.state === "unknown" ? "It is silent or its readings failed" : "Its use or its capacity is not known";
  const cordon = node.state.maintenance === null ? "" : "; under maintenance, but nothing can be said of what still runs there";
  return `${why}: neither source nor target${cordon}.`;
}
