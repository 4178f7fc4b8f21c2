import { sayAwaited } from "../balance/follow-way.js";
import { addMove, addSkip, type JudgedContext, type Resource } from "../context.js";
import type { NodeView } from "../fleet.js";
import { enterMove } from "../ledger.js";
import { compareNumbers } from "../order.js";
import { refuse } from "../sentences.js";
import { type Candidate, levelCandidates } from "../stages/candidates.js";
import { whyNotStart } from "../stages/gates.js";
import { whyNotLevelTo } from "../stages/level-target.js";
import { burdenedRatio, meanRatioOf, relievedRatio } from "../stages/score.js";
import { Survey } from "../stages/survey.js";
import { bytes, cores, percent } from "../words.js";
import { type Choice, chooseMove, explainStay, openTargets, type Relief, type Targets } from "./choose-move.js";
import { makeRoom } from "./make-room.js";
import { relieveOnWay } from "./relieve-on-way.js";

/** A node that needs more relief than single moves can give. */
interface Stuck {
  readonly remaining: ReadonlySet<Candidate>;
  readonly relief: Relief;
}

/** In one plan room is made for so many nodes; where there are more, for others at another tick. */
const MOST_HELPED = 2;

/** Moves workloads off each overloaded node, hottest first, until it is back at its fix bound. */
export function relieveOverload(context: JudgedContext): void {
  const { fleet, ledger, verdicts } = context;
  const hot = fleet.nodes.filter((node) => verdicts.get(node.id)!.hot.length > 0);
  if (hot.length === 0) return;
  const means = { cpu: meanRatioOf("cpu", fleet), memory: meanRatioOf("memory", fleet) };
  const heat = new Map(hot.map((node) => [node.id, Math.max(burdenedRatio("cpu", node, ledger), burdenedRatio("memory", node, ledger))]));
  hot.sort((a, b) => compareNumbers(heat.get(b.id)!, heat.get(a.id)!));
  const reliefOf = (node: NodeView) => nextRelief(node, means, context);
  const awaited = relieveOnWay(hot, { reliefOf, enter: (choice, relief) => enterChoice(choice, relief.resource, context) }, context);
  for (const steps of awaited.values()) for (const step of steps) sayAwaited(step, "overload", context);
  const targets = openTargets(
    fleet.nodes.filter((node) => whyNotLevelTo(node, context) === null),
    context,
  );
  const stuck = hot.flatMap((node) => relieveNode(node, targets, awaited.has(node) ? () => null : reliefOf, context) ?? []);
  // Only when every node has had what single moves can do for it.
  if (context.config.overload.makeRoom !== false) {
    const first = stuck.length > MOST_HELPED ? Math.floor(context.now) % stuck.length : 0;
    for (const { remaining, relief } of [...stuck.slice(first), ...stuck.slice(0, first)].slice(0, MOST_HELPED))
      makeRoom(remaining, relief, context);
  }
  if (stuck.length === 0) return;
  const survey = new Survey(context, "overload");
  for (const { remaining, relief } of stuck) for (const candidate of remaining) explain(candidate, targets, relief, survey, context);
}

/** Null: nothing more is needed. */
function relieveNode(
  source: NodeView,
  targets: Targets,
  reliefOf: (node: NodeView) => Relief | null,
  context: JudgedContext,
): Stuck | null {
  const { fleet, config, now } = context;
  const remaining = new Set<Candidate>();
  for (const entry of levelCandidates(source, fleet, config, now)) {
    if ("reason" in entry) addSkip(context, refuse(entry.workload, entry.reason, config, now));
    else if (!context.spoken.has(entry.workload.id)) remaining.add(entry);
  }
  for (;;) {
    const relief = reliefOf(source);
    if (relief === null) {
      for (const { workload } of remaining) addSkip(context, refuse(workload, "not-needed", config, now));
      return null;
    }
    const best = chooseMove(
      [...remaining].filter(({ workload }) => !context.spoken.has(workload.id) && whyNotStart(context, workload, "overload") === null),
      targets,
      relief,
      context,
    );
    if (best === null) return { remaining, relief };
    remaining.delete(best.candidate);
    enterChoice(best, relief.resource, context);
    for (const order of Object.values(targets.orderBy)) order.update(best.target);
  }
}

/** The resource furthest above its fix bound once all departures under way are done; null when there is none. */
function nextRelief(source: NodeView, means: Record<Resource, number>, { config, ledger, verdicts }: JudgedContext): Relief | null {
  let worst: Relief | null = null;
  for (const resource of verdicts.get(source.id)!.hot) {
    const fixRatio = resource === "cpu" ? config.overload.cpuFixRatio : config.overload.memoryFixRatio;
    const excess = relievedRatio(resource, source, ledger) - fixRatio;
    if (excess > (worst?.excess ?? 0)) worst = { resource, meanRatio: means[resource], fixRatio, excess };
  }
  return worst;
}

function explain(candidate: Candidate, targets: Targets, relief: Relief, survey: Survey, context: JudgedContext): void {
  if (context.spoken.has(candidate.workload.id)) return;
  const halt = whyNotStart(context, candidate.workload, "overload");
  if (halt !== null) addSkip(context, refuse(candidate.workload, halt, context.config, context.now));
  else addSkip(context, explainStay(candidate, targets, relief, survey, context));
}

function enterChoice({ candidate, target, effect, cost }: Choice, resource: Resource, context: JudgedContext): void {
  const { workload, need, frees, source } = candidate;
  enterMove(context.ledger, workload, need, target);
  context.ledger.levellingMoves++;
  const from = `${source.id} ${percent(effect.sourceBefore)} to ${percent(effect.sourceAfter)}`;
  const to = `${target.id} ${percent(effect.targetBefore)} to ${percent(effect.targetAfter)}`;
  const what = `it uses ${cores(frees.cpuCores)} and ${bytes(need.memoryBytes)}`;
  const because = `${resource === "cpu" ? "CPU" : "Memory"}: ${from}, ${to}; ${what}.`;
  addMove(context, { workload: workload.id, from: source.id, to: target.id, reason: "overload", because, cost });
}
