import type { Way } from "./balance/way.js";
import { type CompleteConfig, completeConfig, type PolicyConfig } from "./config.js";
import { type Fleet, indexFleet, type NodeView } from "./fleet.js";
import { budgetLeft } from "./gates/budget.js";
import { type Limits, limitsNow } from "./gates/concurrency.js";
import { whyDoubted } from "./health/judge.js";
import { type Ledger, openLedger } from "./ledger.js";
import { sayCompany } from "./say-company.js";
import { takeAlong } from "./take-along.js";
import type { Move, PowerChange, Skip, Snapshot, Verdict } from "./types.js";

/** What the policies share while one plan is made. Only the ledger, the lists, `spoken` and `keptFromHome` grow, and `way` is replaced. */
export interface PlanContext {
  readonly fleet: Fleet;
  readonly config: CompleteConfig;
  readonly now: number;
  readonly ledger: Ledger;
  readonly suspects: ReadonlySet<string>;
  readonly limits: Limits;
  /** Moves for levelling that this hour still allows, before any of this plan. */
  readonly budget: number;
  readonly moves: Move[];
  readonly skips: Skip[];
  readonly power: PowerChange[];
  /** To a level fleet, found once for all who follow it; null = nobody has asked for it yet. */
  way: Way | null;
  /** Workloads that have a move or a reason already: each gets one. */
  readonly spoken: Set<string>;
  /** Home of each workload whose skip says why it cannot come home: nothing but that node would be of help. */
  readonly keptFromHome: Map<string, string>;
}

export type Resource = "cpu" | "memory";

export interface Judgement extends Verdict {
  /** What the node has too much of, and is to be relieved of; empty unless it is overloaded, whatever the verdict calls it. */
  readonly hot: readonly Resource[];
}

/** A context with what the policies make of the nodes. */
export interface JudgedContext extends PlanContext {
  readonly verdicts: ReadonlyMap<string, Judgement>;
  /** Nodes that some policy wants left alone: no target for levelling. */
  readonly avoided: ReadonlySet<string>;
}

export function openContext(snapshot: Snapshot, given: PolicyConfig, now: number): PlanContext {
  const config = completeConfig(given);
  const fleet = indexFleet(snapshot);
  return {
    fleet,
    config,
    now,
    ledger: openLedger(fleet),
    suspects: new Set(fleet.nodes.filter((node) => whyDoubted(node, config.health) !== null).map(({ id }) => id)),
    limits: limitsNow(config.concurrency, snapshot.recentMigrations ?? []),
    budget: budgetLeft(fleet, config.movesPerHour, now),
    moves: [],
    skips: [],
    power: [],
    way: null,
    spoken: new Set(),
    keptFromHome: new Map(),
  };
}

export function addSkip(context: PlanContext, skip: Skip): void {
  if (context.spoken.has(skip.workload)) return;
  context.spoken.add(skip.workload);
  context.skips.push(sayCompany(skip, context));
}

/** Adds a move that the caller has entered in the ledger, and those of all that move as one with it. */
export function addMove(context: PlanContext, move: Move): void {
  context.spoken.add(move.workload);
  for (const each of [move, ...takeAlong(context, move)]) {
    context.spoken.add(each.workload);
    context.moves.push(each);
  }
}

/** Readings may mix before and after a move for this long. */
export function settleSeconds({ overload }: Pick<PolicyConfig, "overload">): number {
  return overload.settleSeconds ?? Math.min(overload.holdSeconds, 30);
}

export function isSettling(node: NodeView, config: Pick<PolicyConfig, "overload">, now: number): boolean {
  return node.changedAt !== null && now - node.changedAt < settleSeconds(config);
}
