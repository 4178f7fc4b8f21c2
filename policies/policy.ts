import type { CompleteConfig } from "./config.js";
import type { JudgedContext, Judgement, PlanContext } from "./context.js";
import type { NodeView } from "./fleet.js";

/** One thing that Evenkeel cares for. Both functions are pure but for what they enter in the context. */
export interface Policy {
  readonly name: string;
  isEnabled(config: CompleteConfig): boolean;
  /** What it makes of a node whose use is known; null = nothing. The first policy that speaks gives the verdict. */
  judge?(node: NodeView, context: PlanContext): Judgement | null;
  /** A node where no policy shall place anything for the sake of levelling; drains may, and operators. */
  avoids?(node: NodeView, context: PlanContext): boolean;
  /** Enters its moves, and for each candidate that it does not move the reason. */
  plan?(context: JudgedContext): void;
}
