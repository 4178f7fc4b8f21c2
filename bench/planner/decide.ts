import { applyPlan } from "../../policies/apply-plan.js";
import { DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../../policies/config.js";
import { decide } from "../../policies/decide.js";
import type { NodeState, Plan, Snapshot } from "../../policies/types.js";
import type { Step } from "./judge.js";

export interface DecideRun {
  readonly steps: readonly Step[];
  /** How many plans had moves, and what all and the longest of them took; the last one, which has none, counts too. */
  readonly plans: number;
  readonly seconds: number;
  readonly longestSeconds: number;
  /** Of all threads: what it would have taken at most, had the machine been free. */
  readonly cpuSeconds: number;
  /** False when the time ran out before the policies wanted nothing more. */
  readonly finished: boolean;
}

/** As a collector reports. */
const READING_SECONDS = 5;
const NO_LIMITS = { perNode: Number.POSITIVE_INFINITY, fleet: Number.POSITIVE_INFINITY };

/** As it ships, but that nodes are levelled without being in trouble, and that moves wait for no others. */
export const SHIPPED: PolicyConfig = {
  ...DEFAULT_POLICY_CONFIG,
  balance: { ...DEFAULT_POLICY_CONFIG.balance, enabled: true },
  concurrency: NO_LIMITS,
};
/** hbal moves whatever the size. */
export const COSTS_NOT_WEIGHED: PolicyConfig = { ...SHIPPED, cost: { ...DEFAULT_POLICY_CONFIG.cost, horizonSeconds: 0 } };

const { windowSeconds } = DEFAULT_POLICY_CONFIG.balance;
/** A node that has changed takes part again once it was watched for half of the window. */
const WATCHED_SECONDS = windowSeconds / 2;

/**
 * What the scheduler decides, plan after plan: each is carried out at once, and the next is made when the nodes have been watched for long enough,
 * until one has no moves. The load is steady, so that it is the planner that is measured. Only `decide` is timed, and no plan begun after `maxSeconds`.
 */
export function runDecide(cluster: Snapshot, config: PolicyConfig, maxSeconds: number): DecideRun {
  const steps: Step[] = [];
  const seconds: number[] = [];
  let spent = 0;
  let cpuMicroseconds = 0;
  let snapshot = watched(cluster, windowSeconds);
  let isDone = false;
  while (!isDone && spent < maxSeconds) {
    const started = performance.now();
    const cpuAtStart = process.cpuUsage();
    const plan = decide(snapshot, config, snapshot.at);
    const { user, system } = process.cpuUsage(cpuAtStart);
    cpuMicroseconds += user + system;
    seconds.push((performance.now() - started) / 1000);
    spent += seconds.at(-1)!;
    for (const { workload, to } of plan.moves) steps.push({ workload, to });
    isDone = plan.moves.length === 0;
    snapshot = watched(remember(snapshot, plan), snapshot.at + WATCHED_SECONDS);
  }
  return {
    steps,
    plans: seconds.length - (isDone ? 1 : 0),
    seconds: spent,
    longestSeconds: Math.max(0, ...seconds),
    cpuSeconds: cpuMicroseconds / 1_000_000,
    finished: isDone,
  };
}

function remember(snapshot: Snapshot, plan: Plan): Snapshot {
  const moved = new Set(plan.moves.map(({ workload }) => workload));
  const after = applyPlan(snapshot, plan);
  const workloads = after.workloads.map((workload) =>
    moved.has(workload.id) ? { ...workload, recentMoves: [...(workload.recentMoves ?? []), plan.at] } : workload,
  );
  return { ...after, workloads };
}

/** The same load, read again and again over the whole window. */
function watched(snapshot: Snapshot, at: number): Snapshot {
  return { ...snapshot, at, nodes: snapshot.nodes.map((node) => ({ ...node, history: readings(node, at) })) };
}

function readings({ cpuUsedCores, memoryUsedBytes, cpuCapacityCores, memoryCapacityBytes }: NodeState, at: number): NodeState["history"] {
  const ratios = { cpuRatio: cpuUsedCores! / cpuCapacityCores, memoryRatio: memoryUsedBytes! / memoryCapacityBytes };
  const count = windowSeconds / READING_SECONDS + 1;
  return Array.from({ length: count }, (_, index) => ({ at: at - windowSeconds + index * READING_SECONDS, ...ratios }));
}
