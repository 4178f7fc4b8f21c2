import { addSkip, type JudgedContext } from "../context.js";
import type { NodeView } from "../fleet.js";
import { compareIds } from "../order.js";
import type { Policy } from "../policy.js";
import { refuse } from "../sentences.js";
import { levelCandidates } from "../stages/candidates.js";
import { placeElsewhere } from "../stages/place-elsewhere.js";
import type { SkipReason, WorkloadState } from "../types.js";
import type { Company } from "./company.js";
import { whyNotOn } from "./rules.js";

/** Brings workloads to where their labels want them, when somebody has started them elsewhere. */
export const placement: Policy = {
  name: "placement",
  isEnabled: (config) => config.placement.repair,
  plan: (context) => {
    for (const node of context.fleet.nodes) if (node.load !== null && node.state.maintenance === null) repairNode(node, context);
  },
};

function repairNode(node: NodeView, context: JudgedContext): void {
  const { fleet, config, now, ledger } = context;
  for (const entry of levelCandidates(node, fleet, config, now)) {
    const { workload } = entry;
    const wrong = whyMisplaced(workload, node, context);
    if (wrong === null) continue;
    if ("reason" in entry) {
      addSkip(context, refuse(workload, entry.reason, config, now));
      continue;
    }
    const home = groupHome(workload, ledger.company);
    const whyNotTo = (target: NodeView) => (home === null || target.id === home ? null : "affinity");
    placeElsewhere(entry, { reason: "placement", why: `${node.id} is not the place for it (${wrong})`, whyNotTo }, context);
  }
}

/** The label that its own node breaks; null = it is well there. Of a group's members the first to leave mends it for the rest. */
function whyMisplaced(workload: WorkloadState, node: NodeView, { fleet, ledger }: JudgedContext): SkipReason | null {
  const reason = whyNotOn(workload, node, fleet, ledger.company);
  if (reason === "anti-affinity") return isFirstOfGroup(workload, node) ? null : reason;
  if (reason !== null) return reason;
  const home = groupHome(workload, ledger.company);
  return home !== null && home !== node.id ? "affinity" : null;
}

function isFirstOfGroup(workload: WorkloadState, node: NodeView): boolean {
  const group = workload.constraints.antiAffinityGroup;
  return node.workloads.find(({ constraints }) => constraints.antiAffinityGroup === group)?.id === workload.id;
}

/** Where most of its affinity group are, the first by name among equals: the many stay, the few come. Null: it has no group. */
function groupHome(workload: WorkloadState, company: Company): string | null {
  const group = workload.constraints.affinityGroup;
  if (!group) return null;
  const members = new Map<string, number>();
  for (const { id, node } of company.together.get(group) ?? []) {
    const at = company.headedFor.get(id) ?? node;
    members.set(at, (members.get(at) ?? 0) + 1);
  }
  return [...members].sort(([a, most], [b, more]) => more - most || compareIds(a, b))[0]?.[0] ?? null;
}
