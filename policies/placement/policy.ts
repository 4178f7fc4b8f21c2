import { addSkip, type JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import type { Policy } from "../policy.js";
import { refuse } from "../sentences.js";
import { levelCandidates } from "../stages/candidates.js";
import { placeElsewhere } from "../stages/place-elsewhere.js";
import type { SkipReason, WorkloadState } from "../types.js";
import { type isWithGroup, whyNotOn } from "./rules.js";

/** Brings workloads to where their labels want them, when somebody has started them elsewhere. */
export const placement: Policy = {
  name: "placement",
  isEnabled: (config) => config.placement.repair,
  plan: (context) => {
    for (const node of context.fleet.nodes) if (node.load !== null && node.state.maintenance === null) repairNode(node, context);
  },
};

function repairNode(node: NodeView, context: JudgedContext): void {
  const { fleet, config, now } = context;
  for (const entry of levelCandidates(node, fleet, config, now)) {
    const wrong = whyMisplaced(entry.workload, node, context);
    if (wrong === null) continue;
    if ("reason" in entry) addSkip(context, refuse(entry.workload, entry.reason, config, now));
    else placeElsewhere(entry, { reason: "placement", why: `${node.id} is not the place for it (${wrong})` }, context);
  }
}

/** The label that its own node breaks; null = it is well there. Of a group's members the first to leave mends it for the rest. */
function whyMisplaced(workload: WorkloadState, node: NodeView, { fleet, ledger }: JudgedContext): SkipReason | null {
  const reason = whyNotOn(workload, node, fleet, ledger.company);
  if (reason === "anti-affinity") return isFirstOfGroup(workload, node) ? null : reason;
  if (reason !== null) return reason;
  return isGroupTorn(workload, ledger.company) ? "affinity" : null;
}

function isFirstOfGroup(workload: WorkloadState, node: NodeView): boolean {
  const group = workload.constraints.antiAffinityGroup;
  return node.workloads.find(({ constraints }) => constraints.antiAffinityGroup === group)?.id === workload.id;
}

/** Whether it is with a minority of its affinity group: the many stay, the few come. */
function isGroupTorn(workload: WorkloadState, company: Parameters<typeof isWithGroup>[2]): boolean {
  const group = workload.constraints.affinityGroup;
  if (!group) return false;
  const members = new Map<string, number>();
  for (const { id, node } of company.together.get(group) ?? []) {
    const at = company.headedFor.get(id) ?? node;
    members.set(at, (members.get(at) ?? 0) + 1);
  }
  const here = members.get(workload.node) ?? 0;
  for (const [node, count] of members) if (count > here || (count === here && node < workload.node)) return true;
  return false;
}
