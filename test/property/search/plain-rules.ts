import type { SearchModel } from "../../../policies/search/model.js";

/** What the search keeps up to date, said again in the plainest way; the tests hold one against the other. */
export function plainCost(model: SearchModel, assignment: ArrayLike<number>): number {
  const use = plainUse(model, assignment);
  let cost = 0;
  for (let m = 0; m < model.nodes; m++) {
    const row = use[m]!;
    row.forEach((used, r) => {
      cost += model.softWeight[r]! * Math.max(0, used - model.softCapacity[m * model.resources + r]!);
    });
    for (const b of model.balances) {
      const free = (r: number): number => model.capacity[m * model.resources + r]! - row[r]!;
      cost += b.weight * Math.max(0, b.target * free(b.first) - free(b.second));
    }
    for (const l of model.levels) {
      cost += l.weight * (row[l.resource]! / model.capacity[m * model.resources + l.resource]! - l.target) ** 2;
    }
  }
  const movedOf = new Map<number, number>();
  for (let w = 0; w < model.workloads; w++) {
    const [home, now] = [model.start[w]!, assignment[w]!];
    cost += model.stayCost[now]!;
    if (home === now) continue;
    cost += model.moveCost[w]! + model.nodeMoveWeight * (model.nodeMoveCost?.[home * model.nodes + now] ?? 0);
    const group = model.group[w]!;
    if (group >= 0) movedOf.set(group, (movedOf.get(group) ?? 0) + 1);
  }
  return cost + model.groupMoveWeight * Math.max(0, ...movedOf.values());
}

/** Use per node and resource; `held` adds what moved workloads hold of transient resources on their start nodes. */
export function plainUse(model: SearchModel, assignment: ArrayLike<number>, held = false): number[][] {
  const use = Array.from({ length: model.nodes }, () => Array.from({ length: model.resources }, () => 0));
  for (let w = 0; w < model.workloads; w++) {
    for (let r = 0; r < model.resources; r++) {
      const needed = model.requirement[w * model.resources + r]!;
      const [home, now] = [model.start[w]!, assignment[w]!];
      use[now]![r] = use[now]![r]! + needed;
      if (held && home !== now && model.transient[r]) use[home]![r] = use[home]![r]! + needed;
    }
  }
  return use;
}

/** Every broken rule: its name, and by how much it is broken. */
export function plainViolations(model: SearchModel, assignment: ArrayLike<number>, held = true): Map<string, number> {
  const broken = new Map<string, number>();
  plainUse(model, assignment, held).forEach((row, m) => {
    row.forEach((used, r) => {
      const over = used - model.capacity[m * model.resources + r]!;
      if (over > 1e-9) broken.set(`capacity ${r} of node ${m}`, over);
    });
  });
  for (let w = 0; w < model.workloads; w++) {
    const now = assignment[w]!;
    if (now === model.start[w]) continue;
    const pinned = model.pinnedNodes.subarray(model.pinnedOffset[w]!, model.pinnedOffset[w + 1]!);
    if (model.closed[now] || model.moveCost[w] === Infinity || (pinned.length > 0 && !pinned.includes(now))) broken.set(`place of ${w}`, 1);
  }
  for (let g = 0; g < model.groups; g++) for (const [rule, by] of groupViolations(model, assignment, g)) broken.set(rule, by);
  return broken;
}

function groupViolations(model: SearchModel, assignment: ArrayLike<number>, group: number): Map<string, number> {
  const nodesOf = (g: number): number[] => [...model.group.keys()].filter((w) => model.group[w] === g).map((w) => assignment[w]!);
  const broken = new Map<string, number>();
  const nodes = nodesOf(group);
  const doubled = nodes.length - new Set(nodes).size;
  if (model.groupDistinct[group] && doubled > 0) broken.set(`distinct ${group}`, doubled);
  const zones = new Set(nodes.map((m) => model.zone[m]!)).size;
  if (zones < model.groupSpread[group]!) broken.set(`spread ${group}`, model.groupSpread[group]! - zones);
  for (const needed of model.groupDependsOn.subarray(model.groupDependsOffset[group]!, model.groupDependsOffset[group + 1]!)) {
    const there = new Set(nodesOf(needed).map((m) => model.neighbourhood[m]!));
    for (const m of nodes) if (!there.has(model.neighbourhood[m]!)) broken.set(`${group} needs ${needed} in ${model.neighbourhood[m]}`, 1);
  }
  return broken;
}
