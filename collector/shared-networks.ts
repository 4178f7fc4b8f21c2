import type { Container } from "./containers.js";
import { LABELS } from "./protocol.js";

/**
 * Gives containers that share a network one group, as if their labels said so: they can only be moved as one. It is that of the container
 * whose network it is, by its label, or one of its own that stays the same wherever it goes. A joiner's own gives way.
 */
export function groupBySharedNetwork(containers: readonly Container[]): Container[] {
  const byId = new Map(containers.map((container) => [container.id, container]));
  const owners = new Set(containers.map(({ networkOf }) => networkOf));
  return containers.map((container) => {
    const owner = container.networkOf === null && owners.has(container.id) ? container : byId.get(container.networkOf ?? "");
    return owner === undefined ? container : { ...container, labels: { ...container.labels, [LABELS.group]: groupOf(owner) } };
  });
}

function groupOf({ id, labels }: Container): string {
  return labels[LABELS.group]?.trim() || labels[LABELS.affinity]?.trim() || `network of ${labels[LABELS.workload] || id}`;
}
