import type { JudgedContext } from "../context.js";
import { dailyAt } from "../estimate/daily.js";
import { type Reading, readingsOf } from "../estimate/series.js";
import { trendAt } from "../estimate/trend.js";
import type { NodeView } from "../fleet.js";
import { whyEvacuated } from "../health/judge.js";
import { needOf } from "../need.js";
import { cpuCeiling, whyNotMeantFor, whyNotThere } from "../stages/feasible.js";
import type { Skip, SkipReason } from "../types.js";
import { cores } from "../words.js";
import { findUnbearableLoss } from "./bear-loss.js";

/** Reasons for which a workload that ought to move does not, and another node awake would help. */
const CROWDED: ReadonlySet<SkipReason> = new Set(["target-cpu-full", "target-memory-full", "target-asleep", "no-target"]);

/** Nodes that run and may hold more: neither flagged nor doubted. */
export function awakeNodes(context: JudgedContext): NodeView[] {
  return context.fleet.nodes.filter((node) => !node.state.power && isSound(node, context));
}

/** Neither silent, flagged nor doubted. */
export function isSound({ id, load, state }: NodeView, { suspects }: JudgedContext): boolean {
  return load !== null && state.maintenance === null && !state.cordoned && !state.executorSilent && !suspects.has(id);
}

/** Whether what it runs is left to it, and not for the nodes awake to bear: it may take nothing more, nor is it being emptied. */
function keepsItsOwn(node: NodeView, context: JudgedContext): boolean {
  if (node.load === null || node.state.maintenance !== null || isSound(node, context)) return false;
  return whyEvacuated(node, context.config.health) === null;
}

/** Why the nodes that are awake are not enough. */
export interface Shortage {
  readonly why: string;
  /** Whether that node, which sleeps, would be of any use awake. */
  wouldHelp(node: NodeView): boolean;
}

/** What there is too little of with `awake`; null = they are enough, now and for a while. */
export function findShortage(awake: readonly NodeView[], context: JudgedContext): Shortage | null {
  const { fleet, config } = context;
  const crowded = findCrowded(awake, context);
  const shortage = crowded && sayCrowded(crowded, context);
  if (shortage && fleet.nodes.some((node) => node.state.power && shortage.wouldHelp(node))) return shortage;
  const placed = new Map(context.moves.map(({ workload, to }) => [workload, to]));
  const lost = findUnbearableLoss({ fleet, config, awake, placed, growth: 0 });
  const why = lost !== null ? `the others that are awake could not take over what ${lost} runs` : whyExpectedTooMuch(awake, context);
  // What no sleeping node would help must not hide what one would.
  return why === null ? shortage : { why, wouldHelp: () => true };
}

function sayCrowded(crowded: Skip, context: JudgedContext): Shortage {
  const name = context.fleet.workloadById.get(crowded.workload)?.name ?? crowded.workload;
  return {
    why: `there is no room for ${name}, which should leave ${crowded.from}`,
    wouldHelp: (node) => isMeantFor(node, crowded, context),
  };
}

/**
 * What should leave its node and finds no room, though some node is meant for it: first of all such that one that sleeps is. What is only kept from
 * coming home lacks no room where it is, unless home sleeps.
 */
function findCrowded(awake: readonly NodeView[], context: JudgedContext): Skip | null {
  const { fleet, skips, ledger, keptFromHome } = context;
  const asleep = fleet.nodes.filter(({ state }) => state.power);
  const empty = awake.filter(({ id, workloads }) => workloads.length === 0 && ledger.accounts.get(id)!.moves === 0);
  const lacksRoom = ({ workload, reason }: Skip) => CROWDED.has(reason) && (reason === "target-asleep" || !keptFromHome.has(workload));
  const crowded = skips.filter((skip) => lacksRoom(skip) && !empty.some((node) => isOpenTo(node, skip, context)));
  const amongThose = (nodes: readonly NodeView[]) => crowded.find((skip) => nodes.some((node) => isMeantFor(node, skip, context)));
  return amongThose(asleep) ?? amongThose(awake) ?? null;
}

/** An empty node that could take it and was not chosen: another would not be either. */
function isOpenTo(node: NodeView, { workload: id }: Skip, context: JudgedContext): boolean {
  const workload = context.fleet.workloadById.get(id);
  const need = workload === undefined ? null : needOf(workload);
  if (workload === undefined || need === null || !isWhereItGoes(node, id, context)) return false;
  return whyNotThere(workload, need, node, context) === null;
}

function isWhereItGoes({ id }: NodeView, workload: string, { keptFromHome }: JudgedContext): boolean {
  const home = keptFromHome.get(workload);
  return home === undefined || home === id;
}

/** Whether only room, or its sleep, keeps it from taking that: to one that would refuse it awake no sleep makes a difference. */
function isMeantFor(node: NodeView, { workload: id }: Skip, context: JudgedContext): boolean {
  if (!isWhereItGoes(node, id, context)) return false;
  const workload = context.fleet.workloadById.get(id);
  const reason = workload === undefined ? null : whyNotMeantFor(workload, node, context, true);
  return reason === null || reason === "target-asleep";
}

/** The load of all nodes but those that keep what they have, as it is expected when a node woken now would be there, with its error, against what those awake may give. */
export function whyExpectedTooMuch(awake: readonly NodeView[], context: JudgedContext): string | null {
  const { leadSeconds } = context.config.consolidate;
  const at = context.now + leadSeconds;
  const nodes = context.fleet.nodes.filter((node) => !keepsItsOwn(node, context));
  const byTrend = expectByTrend(nodes, at, context);
  const byDay = expectByDay(nodes, at);
  const expected = Math.max(byTrend, byDay ?? 0);
  const room = awake.reduce((sum, { state }) => sum + state.cpuCapacityCores * cpuCeiling(context.config), 0);
  if (expected <= room) return null;
  const how = byDay !== null && byDay > byTrend ? ", as on the days before" : "";
  return `${cores(expected)} are expected to be asked for in ${leadSeconds} s${how}, and those awake may give ${cores(room)}`;
}

function expectByTrend(nodes: readonly NodeView[], at: number, { config }: JudgedContext): number {
  let expected = 0;
  for (const { load, state } of nodes) {
    if (load === null) continue;
    const forecast = trendAt(latest(readingsOf(state.history, "cpuRatio"), config.balance.windowSeconds), at);
    const ratio = forecast === null ? 0 : Math.min(1, forecast.value + forecast.error);
    expected += Math.max(load.cpuCores.high, ratio * state.cpuCapacityCores);
  }
  return expected;
}

/**
 * What these nodes used at this time on earlier days: wherever its workloads were then, and of those that sleep now too. Null until every
 * node that is awake has days to show.
 */
function expectByDay(nodes: readonly NodeView[], at: number): number | null {
  let [expected, variance] = [0, 0];
  for (const { load, state } of nodes) {
    const day = dailyAt(readingsOf(state.pastDays ?? [], "cpuRatio"), at);
    if (day === null && load !== null) return null;
    expected += (day?.value ?? 0) * state.cpuCapacityCores;
    variance += ((day?.error ?? 0) * state.cpuCapacityCores) ** 2;
  }
  return expected + Math.sqrt(variance);
}

function latest(readings: readonly Reading[], seconds: number): Reading[] {
  const newest = readings.at(-1)?.at ?? 0;
  return readings.filter(({ at }) => newest - at <= seconds);
}
