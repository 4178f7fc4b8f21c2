import type { Judgement, PlanContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { describeLoad } from "../overload/judge.js";
import type { Policy } from "../policy.js";
import { sayCordon } from "../sentences.js";
import type { PowerState } from "../types.js";

/** What each node is in, with a sentence that holds the numbers: the word of the first policy that has one. */
export function judgeNodes(policies: readonly Policy[], context: PlanContext): Map<string, Judgement> {
  return new Map(context.fleet.nodes.map((node) => [node.id, judgeNode(node, policies, context)]));
}

function judgeNode(node: NodeView, policies: readonly Policy[], context: PlanContext): Judgement {
  const { power } = node.state;
  // Silent because it was told to be. One that falls asleep may still report, and is neither source nor target any more.
  if (power) return { node: node.id, verdict: power === "waking" ? "waking" : "asleep", because: SLEEP[power], hot: [] };
  if (node.load === null) return { node: node.id, verdict: "unknown", because: sayUnknown(node), hot: [] };
  for (const policy of policies) {
    const judgement = policy.judge?.(node, context);
    if (judgement) return node.state.cordoned ? { ...judgement, because: addCordon(judgement.because, node) } : judgement;
  }
  const because = `${describeLoad(node)}.`;
  return { node: node.id, verdict: "level", because: node.state.cordoned ? addCordon(because, node) : because, hot: [] };
}

function addCordon(because: string, { state }: NodeView): string {
  return `${because.replace(/\.$/, "")}; cordoned${sayCordon(state)}.`;
}

const SLEEP: Readonly<Record<PowerState, string>> = {
  "falling-asleep": "It has been told to sleep: nothing ran there.",
  asleep: "It sleeps to save power, and is woken before it is needed.",
  waking: "It has been woken, and has not reported yet.",
};

function sayUnknown(node: NodeView): string {
  const why = node.state.state === "unknown" ? "It is silent or its readings failed" : "Its use or its capacity is not known";
  const cordon = node.state.maintenance === null ? "" : "; under maintenance, but nothing can be said of what still runs there";
  return `${why}: neither source nor target${cordon}.`;
}
