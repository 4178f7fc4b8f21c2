import type { NodeView } from "../fleet.js";
import type { Candidate } from "../stages/candidates.js";
import { amountOf, capacityOf, farthest } from "../stages/score.js";
import { type Levels, levelOf, RESOURCES } from "./levels.js";

export interface Gain {
  /** How much nearer to the mean the two nodes come, squared and weighted. */
  readonly gain: number;
  /** Its part of their distance before. */
  readonly share: number;
  /** The largest difference between the two nodes: what there is to gain at all. */
  readonly gap: number;
}

export function gainBetween({ source, need, frees }: Candidate, target: NodeView, levels: Levels): Gain {
  const { mean, weight } = levels;
  const from = levelOf(source, levels).low;
  const to = levelOf(target, levels).high;
  let before = 0;
  let after = 0;
  let gap = 0;
  for (const resource of RESOURCES) {
    before += weight[resource] * ((from[resource] - mean[resource]) ** 2 + (to[resource] - mean[resource]) ** 2);
    const sourceAfter = from[resource] - amountOf(resource, frees) / capacityOf(resource, source);
    const targetAfter = to[resource] + amountOf(resource, need) / capacityOf(resource, target);
    const targetAtLeast = to[resource] + amountOf(resource, frees) / capacityOf(resource, target);
    const targetDistance = farthest(targetAfter, targetAtLeast, mean[resource]);
    after += weight[resource] * ((sourceAfter - mean[resource]) ** 2 + targetDistance ** 2);
    gap = Math.max(gap, from[resource] - to[resource]);
  }
  return { gain: before - after, share: before > 0 ? (before - after) / before : 0, gap };
}

/** Enters a move, or with -1 takes it back. */
export function shift({ source, need, frees }: Candidate, target: NodeView, sign: 1 | -1, levels: Levels): void {
  const from = levelOf(source, levels);
  const to = levelOf(target, levels);
  for (const resource of RESOURCES) {
    for (const band of ["low", "middle", "high"] as const) {
      from[band][resource] -= (sign * amountOf(resource, frees)) / capacityOf(resource, source);
      to[band][resource] += (sign * amountOf(resource, band === "high" ? need : frees)) / capacityOf(resource, target);
    }
  }
}
