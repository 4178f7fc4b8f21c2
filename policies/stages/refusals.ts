import type { NodeView } from "../fleet.js";
import type { SkipReason } from "../types.js";
import { PASSING } from "./gates.js";

/** Why targets will not do: how many for each reason, and a few of them by name. In order of id, as they were added. */
export interface Refusals {
  count: number;
  readonly byReason: Map<SkipReason, { count: number; readonly some: NodeView[] }>;
}

export const NAMED = 3;

export function openRefusals(): Refusals {
  return { count: 0, byReason: new Map() };
}

export function addRefusal(refusals: Refusals, target: NodeView, reason: SkipReason): void {
  refusals.count++;
  const entry = refusals.byReason.get(reason);
  if (!entry) refusals.byReason.set(reason, { count: 1, some: [target] });
  else if (entry.count++ < NAMED) entry.some.push(target);
}

/**
 * Those that pass by themselves, and of these the soonest; null = there are none. A target that is only busy is worth waiting for, whatever the
 * others say: none is woken where one that is awake will do in a moment, nor is a window's end awaited where one could be woken.
 */
export function passingRefusals({ byReason }: Refusals): Refusals | null {
  for (const reasons of PASSING) {
    const passing = [...byReason].filter(([reason]) => reasons.has(reason));
    if (passing.length > 0) return { count: passing.reduce((sum, [, { count }]) => sum + count, 0), byReason: new Map(passing) };
  }
  return null;
}
