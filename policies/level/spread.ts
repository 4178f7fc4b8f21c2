import type { SearchState } from "../search/state.js";

/** Of one level: how far the nodes are from one another, and the fullest of them above its target. Both in the level's own unit. */
export interface Spread {
  readonly deviation: number;
  readonly most: number;
}

const ROUNDING = 1e-9;

/** One for each level of the model. */
export function spreadsOf({ model, levelGap }: SearchState): Spread[] {
  const { nodes, levels } = model;
  return levels.map((_, level) => {
    let [sum, squares, most] = [0, 0, Number.NEGATIVE_INFINITY];
    for (let i = level; i < levelGap.length; i += levels.length) {
      const gap = levelGap[i]!;
      sum += gap;
      squares += gap * gap;
      most = Math.max(most, gap);
    }
    return { deviation: deviationOf(sum, squares, nodes), most };
  });
}

export function deviationOf(sum: number, squares: number, count: number): number {
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

/** The levels of which the nodes are further apart than in the other. */
export function widerLevels(spreads: readonly Spread[], others: readonly Spread[]): number[] {
  return spreads.flatMap(({ deviation }, level) => (deviation > others[level]!.deviation + ROUNDING ? [level] : []));
}

export function isAnyFuller(spreads: readonly Spread[], others: readonly Spread[]): boolean {
  return spreads.some(({ most }, level) => most > others[level]!.most + ROUNDING);
}
