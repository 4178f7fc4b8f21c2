import { isSettling, type JudgedContext } from "../../context.js";
import type { NodeView } from "../../fleet.js";
import { windowOver } from "../../gates/window.js";
import type { Use } from "../../need.js";
import { compareIds } from "../../order.js";
import { FULL } from "../../room/find-way.js";
import { lackOn, roomComing, roomOn } from "../../room/lack.js";
import type { Candidate } from "../../stages/candidates.js";
import { whyClosed, whyNotThere } from "../../stages/feasible.js";
import { whyNotArrive } from "../../stages/gates.js";
import { whyNotLevelTo } from "../../stages/level-target.js";

/** Of a large fleet only so many nodes take part, so that a tick stays short: those that lack least room for something of the hot one … */
const MOST_GATES = 12;
/** … and those that have most room for what moves on. */
const MOST_OTHERS = 12;

/**
 * The nodes that a chain may touch besides the hot one. None: it is not for want of room that nothing can leave it, or something can as soon
 * as its target may take it.
 */
export function neighbourhoodOf(candidates: readonly Candidate[], context: JudgedContext): NodeView[] {
  const gates: { readonly node: NodeView; readonly lack: number }[] = [];
  const others: NodeView[] = [];
  for (const node of context.fleet.nodes) {
    if (candidates.some(({ source }) => source === node) || !mayTakePart(node, context)) continue;
    const coming = roomComing(node, context);
    let least = Number.POSITIVE_INFINITY;
    for (const { workload, need } of candidates) {
      const refusal = whyNotThere(workload, need, node, context);
      if (refusal === null && (isSettling(node, context.config, context.now) || whyNotArrive(context, node.id, "overload") !== null))
        return [];
      if (FULL.has(refusal)) least = Math.min(least, shareOf(lackOn(node, need, coming, context), node));
    }
    if (least < Number.POSITIVE_INFINITY) gates.push({ node, lack: least });
    else others.push(node);
  }
  if (gates.length === 0) return [];
  gates.sort((a, b) => a.lack - b.lack || compareIds(a.node.id, b.node.id));
  const near = gates.slice(0, MOST_GATES).map(({ node }) => node);
  const rest = [...gates.slice(MOST_GATES).map(({ node }) => node), ...others];
  return [...near, ...emptiest(rest, context)].sort((a, b) => compareIds(a.id, b.id));
}

/** Whether anything may move to it or from it for another node's sake, now or soon. */
function mayTakePart(node: NodeView, context: JudgedContext): boolean {
  if (whyClosed(node, context) !== null || windowOver(context.fleet.snapshot.windows, node.id)) return false;
  const refusal = whyNotLevelTo(node, context);
  return refusal === null || refusal === "target-settling";
}

function emptiest(nodes: readonly NodeView[], context: JudgedContext): NodeView[] {
  if (nodes.length <= MOST_OTHERS) return [...nodes];
  return nodes
    .map((node) => ({ node, room: leastShare(roomOn(node, roomComing(node, context), context), node) }))
    .sort((a, b) => b.room - a.room || compareIds(a.node.id, b.node.id))
    .slice(0, MOST_OTHERS)
    .map(({ node }) => node);
}

function shareOf({ cpuCores, memoryBytes }: Use, { state }: NodeView): number {
  return Math.max(cpuCores / state.cpuCapacityCores, memoryBytes / state.memoryCapacityBytes);
}

function leastShare({ cpuCores, memoryBytes }: Use, { state }: NodeView): number {
  return Math.min(cpuCores / state.cpuCapacityCores, memoryBytes / state.memoryCapacityBytes);
}
