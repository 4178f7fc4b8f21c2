import type { JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { distanceOf, type Levels, RESOURCES, unevenness } from "./levels.js";

/** What there is to be levelled: the fleet as a whole, or single nodes that stand far off its mean. */
export interface Trouble {
  readonly isUneven: boolean;
  readonly outliers: ReadonlySet<NodeView>;
}

/** In a large fleet one node says little in the mean of all, however far off it is: so many times the bound is far for one. */
const OUTLIER_TIMES = 3;

/** Null: the fleet is level enough. What has been begun is judged by the lower bound, so that it goes all the way plan by plan. */
export function findTrouble(levels: Levels, context: JudgedContext): Trouble | null {
  const { balance } = context.config;
  const levelledAt = context.fleet.snapshot.levelledAt ?? Number.NEGATIVE_INFINITY;
  const bound = context.now - levelledAt < balance.windowSeconds ? balance.stopRatio : balance.startRatio;
  const isUneven = unevenness(levels) > bound;
  const outliers = new Set([...levels.nodes.keys()].filter((node) => isFarOff(node, levels, bound) && mayChange(node, levels, context)));
  return isUneven || outliers.size > 0 ? { isUneven, outliers } : null;
}

/** Whether some of it is still above the lower bound. */
export function isTroubled({ isUneven, outliers }: Trouble, levels: Levels, stopRatio: number): boolean {
  if (isUneven && unevenness(levels) > stopRatio) return true;
  for (const node of outliers) if (isFarOff(node, levels, stopRatio)) return true;
  return false;
}

/** Where only single nodes are off, only moves from and to them are made: the others are level enough among each other. */
export function mends({ isUneven, outliers }: Trouble, source: NodeView, target: NodeView): boolean {
  return isUneven || outliers.has(source) || outliers.has(target);
}

function isFarOff(node: NodeView, levels: Levels, bound: number): boolean {
  return distanceOf(levels.nodes.get(node)!, levels) > OUTLIER_TIMES * bound;
}

/** An empty node that may take nothing stays empty, and nothing is to be done about it. */
function mayChange(node: NodeView, { nodes, mean, weight }: Levels, context: JudgedContext): boolean {
  const { middle } = nodes.get(node)!;
  const excess = RESOURCES.reduce((sum, resource) => sum + weight[resource] * (middle[resource] - mean[resource]), 0);
  return excess > 0 || (!node.state.cordoned && !context.suspects.has(node.id) && whyNotLevelTo(node, context) === null);
}
