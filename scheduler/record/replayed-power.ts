import type { NodeState, PowerChange } from "../../policies/types.js";
import { asAwake, asAway, type IdleUse } from "../../policies/what-if/awake.js";

/** Which nodes sleep in a replay: as recorded, until the replay has said otherwise. */
export interface ReplayedPower {
  tell(changes: readonly PowerChange[], at: number): void;
  /** The node as recorded, asleep, waking, or awake although it slept in the recording. What holds workloads, or is about to, is awake whatever it was told. */
  see(recorded: NodeState, at: number, isUsed: boolean, idle: IdleUse): NodeState;
}

/** @param wakeSeconds how long a node takes to come: the recording cannot tell. */
export function rememberPower(wakeSeconds: number): ReplayedPower {
  const told = new Map<string, { readonly to: PowerChange["to"]; readonly at: number }>();
  return {
    tell: (changes, at) => {
      for (const { node, to } of changes) told.set(node, { to, at });
    },
    see: (node, at, isUsed, idle) => {
      // It did not sleep yet, and who is to is said anew.
      const recorded = node.power === "closing" ? { ...node, power: null } : node;
      const last = told.get(recorded.id);
      const sleeps = last === undefined ? Boolean(recorded.power) : last.to === "sleep";
      if (!isUsed && sleeps) return last === undefined ? recorded : asAway(recorded, "asleep");
      // From now on it is awake until it is told otherwise.
      if (isUsed && sleeps) told.set(recorded.id, { to: "wake", at: at - wakeSeconds });
      if (!isUsed && last !== undefined && at - last.at < wakeSeconds) return asAway(recorded, "waking");
      const wokenAt = last === undefined ? at : last.at + wakeSeconds;
      if (recorded.power) return asAwake(recorded, idle, [at], wokenAt);
      return last === undefined ? recorded : { ...recorded, wokenAt };
    },
  };
}
