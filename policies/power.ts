import type { NodeState } from "./types.js";

/** Whether its silence is Evenkeel's own doing, or soon will be. One that is closing is awake still: should it fall silent, that is news. */
export function isAway({ power }: Pick<NodeState, "power">): boolean {
  return Boolean(power) && power !== "closing";
}
