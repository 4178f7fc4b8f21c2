import type { Judgement, PlanContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { describeLoad } from "../overload/judge.js";
import type { Policy } from "../policy.js";
import { isAway } from "../power.js";
import { sayCordon } from "../sentences.js";
import type { NodeState, PowerState } from "../types.js";

/** What each node is in, with a sentence that holds the numbers: the word of the first policy that has one. */
export function judgeNodes(policies: readonly Policy[], context: PlanContext): Map<string, Judgement> {
  return new Map(context.fleet.nodes.map((node) => [node.id, judgeNode(node, policies, context)]));
}

function judgeNode(node: NodeView, policies: readonly Policy[], context: PlanContext): Judgement {
  // Silent because it was told to be. One that falls asleep may still report, and is neither source nor target any more.
  if (isAway(node.state)) return judgeAway(node);
  if (node.load === null) return { node: node.id, verdict: "unknown", because: sayUnknown(node), hot: [] };
  for (const policy of policies) {
    const judgement = policy.judge?.(node, context);
    if (judgement) return { ...judgement, because: addDoor(judgement.because, node.state) };
  }
  return { node: node.id, verdict: "level", because: addDoor(`${describeLoad(node)}.`, node.state), hot: [] };
}

/** Why it gets nothing new, whatever its verdict. */
function addDoor(because: string, state: NodeState): string {
  const doors = [
    ...(state.cordoned ? [`cordoned${sayCordon(state)}`] : []),
    ...(state.power === "closing" ? ["to be put to sleep as soon as a new reading shows nothing there"] : []),
  ];
  return doors.length === 0 ? because : `${[because.replace(/\.$/, ""), ...doors].join("; ")}.`;
}

function judgeAway({ id, state }: NodeView): Judgement {
  const power = state.power as Exclude<PowerState, "closing">;
  return { node: id, verdict: power === "waking" ? "waking" : "asleep", because: `${SLEEP[power]}${sayFailedWake(state)}`, hot: [] };
}

const SLEEP: Readonly<Record<Exclude<PowerState, "closing">, string>> = {
  "falling-asleep": "It has been told to sleep: nothing ran there.",
  asleep: "It sleeps to save power, and is woken before it is needed.",
  waking: "It has been woken, and has not reported yet.",
};

function sayFailedWake({ wakeFailedAt }: NodeState): string {
  return wakeFailedAt == null ? "" : " The last call to wake it failed.";
}

function sayUnknown(node: NodeView): string {
  const why = node.state.state === "unknown" ? "It is silent or its readings failed" : "Its use or its capacity is not known";
  const cordon = node.state.maintenance === null ? "" : "; under maintenance, but nothing can be said of what still runs there";
  return `${why}: neither source nor target${cordon}.`;
}
