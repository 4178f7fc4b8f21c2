import { type JudgedContext, settleSeconds } from "../context.js";
import type { NodeView } from "../fleet.js";
import { freedBy, type Need, type Use } from "../need.js";
import { cpuCeiling, memoryCeiling, memoryToBeHad } from "../stages/feasible.js";

/** Readings follow a departure only slowly: for so many times settling it may still be counted. */
const PATIENCE = 4;
export const NOTHING: Use = { cpuCores: 0, memoryBytes: 0 };

/** What is leaving the node, or has left it so lately that its readings may still count it. */
export function roomComing(node: NodeView, context: JudgedContext): Use {
  let { cpuCores, memoryBytes } = roomBeingLeft(node, context);
  for (const workload of node.departed) {
    if (context.now - (workload.lastMovedAt ?? 0) >= PATIENCE * settleSeconds(context.config)) continue;
    const freed = freedBy(workload);
    cpuCores += freed.cpuCores;
    memoryBytes += freed.memoryBytes;
  }
  return { cpuCores, memoryBytes };
}

/** What is leaving it, and so is counted there for certain. */
export function roomBeingLeft(node: NodeView, { ledger }: JudgedContext): Use {
  const { leavingCpuCores, leavingMemoryBytes } = ledger.accounts.get(node.id)!;
  return { cpuCores: leavingCpuCores, memoryBytes: leavingMemoryBytes };
}

/** What a node can hold besides, once so much has left it; below zero where it holds too much. */
export function roomOn(node: NodeView, without: Use, { ledger, config }: JudgedContext): Use {
  const { arrivingCpuCores, arrivingMemoryBytes } = ledger.accounts.get(node.id)!;
  const { state, load } = node;
  return {
    cpuCores: state.cpuCapacityCores * cpuCeiling(config) - load!.cpuCores.high - arrivingCpuCores + without.cpuCores,
    memoryBytes: state.memoryCapacityBytes * memoryCeiling(config) - load!.memoryBytes.high - arrivingMemoryBytes + without.memoryBytes,
  };
}

/** What a node lacks to take this, if so much had left it; nothing below zero. */
export function lackOn({ id, state, load }: NodeView, need: Need, without: Use, { ledger, config }: JudgedContext): Use {
  const account = ledger.accounts.get(id)!;
  // Summed as the hard constraint sums them: the two must agree to the last bit.
  const cpuCores = load!.cpuCores.high + account.arrivingCpuCores + need.cpuCores - without.cpuCores;
  const memoryBytes = load!.memoryBytes.high + account.arrivingMemoryBytes + need.memoryBytes - without.memoryBytes;
  return {
    cpuCores: Math.max(0, cpuCores - state.cpuCapacityCores * cpuCeiling(config)),
    memoryBytes: Math.max(
      0,
      memoryBytes - state.memoryCapacityBytes * memoryCeiling(config),
      memoryBytes + (account.arrivingImageBytes + need.imageBytes) - memoryToBeHad(state),
    ),
  };
}

export function isNothing({ cpuCores, memoryBytes }: Use): boolean {
  return cpuCores <= 0 && memoryBytes <= 0;
}

/** Whether it needs no more than to wait: somebody leaves already, or has left. */
export function isRoomComing(node: NodeView, need: Need, context: JudgedContext): boolean {
  const coming = roomComing(node, context);
  return !isNothing(coming) && isNothing(lackOn(node, need, coming, context));
}

export function add(a: Use, b: Use = NOTHING): Use {
  return { cpuCores: a.cpuCores + b.cpuCores, memoryBytes: a.memoryBytes + b.memoryBytes };
}
