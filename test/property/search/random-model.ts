import { buildModel, type ModelSpec, type NodeSpec, type WorkloadSpec } from "../../../policies/search/build-model.js";
import type { SearchModel } from "../../../policies/search/model.js";
import { Random } from "../../../policies/search/random.js";
import { plainViolations } from "./plain-rules.js";

export interface ModelSize {
  readonly nodes: number;
  readonly workloads: number;
  /** Capacity beyond what the start uses, as a share of it: small = tight. */
  readonly room: number;
  /** Whole numbers only, so that sums are exact. */
  readonly whole?: boolean;
}

/** A model with every kind of rule and cost in it, whose start breaks no rule. */
export function randomModel(seed: number, { nodes, workloads, room, whole = false }: ModelSize): SearchModel {
  const random = new Random(seed);
  const resources = 1 + random.below(3);
  const groups = 1 + random.below(4);
  const level = { resource: 0, target: 0.5, weight: 50 };
  const tasks: WorkloadSpec[] = Array.from({ length: workloads }, () => ({
    node: random.below(nodes),
    requirement: Array.from({ length: resources }, () => random.below(10) * (random.below(5) === 0 ? 5 : 1)),
    ...(random.below(3) > 0 ? { group: random.below(groups) } : {}),
    moveCost: random.below(12) === 0 ? Infinity : random.below(4),
    ...(random.below(10) === 0 ? { pinnedTo: [random.below(nodes), random.below(nodes)] } : {}),
  }));
  const machines: NodeSpec[] = Array.from({ length: nodes }, (_, m) => {
    const used = Array.from({ length: resources }, (__, r) => tasks.reduce((sum, w) => sum + (w.node === m ? w.requirement[r]! : 0), 0));
    const capacity = used.map((u) => Math.ceil((u + 8) * (1 + room * random.ratio())));
    return {
      capacity,
      softCapacity: capacity.map((c) => Math.floor(c * (0.4 + 0.4 * random.ratio()))),
      zone: random.below(3),
      neighbourhood: random.below(2),
      closed: random.below(10) === 0,
      stayCost: random.below(8) === 0 ? 5 : 0,
    };
  });
  const wishes = Array.from({ length: groups }, (_, g) => ({
    distinct: random.below(2) === 0,
    spread: random.below(3),
    dependsOn: random.below(3) === 0 ? [(g + 1) % groups] : [],
  }));
  const spec: ModelSpec = {
    resources: Array.from({ length: resources }, () => ({ softWeight: 1 + random.below(10), transient: random.below(2) === 0 })),
    nodes: machines,
    workloads: tasks,
    groups: wishes,
    balances: resources > 1 && random.below(2) === 0 ? [{ first: 0, second: 1, target: 2, weight: 3 }] : [],
    levels: whole || random.below(2) === 0 ? [] : [level],
    groupMoveWeight: random.below(3),
    nodeMoveCost: Array.from({ length: nodes }, (_, a) => Array.from({ length: nodes }, (__, b) => (a === b ? 0 : random.below(3)))),
  };
  return buildModel(withoutBrokenRules(spec));
}

/** Takes back the group rules that the start does not keep. */
function withoutBrokenRules(spec: ModelSpec): ModelSpec {
  const model = buildModel(spec);
  const broken = [...plainViolations(model, model.start).keys()];
  const groups = (spec.groups ?? []).map((group, g) => ({
    distinct: group.distinct === true && !broken.includes(`distinct ${g}`),
    spread: broken.includes(`spread ${g}`) ? 0 : (group.spread ?? 0),
    dependsOn: broken.some((rule) => rule.startsWith(`${g} needs`)) ? [] : (group.dependsOn ?? []),
  }));
  return { ...spec, groups };
}
