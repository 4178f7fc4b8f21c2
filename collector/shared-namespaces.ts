import type { Container } from "./containers.js";
import { LABELS } from "./protocol.js";

/**
 * Gives containers that share a network or an IPC namespace one group, as if their labels said so: they can only be moved as one. It is that of the
 * container whose namespace it is, by its label, or one of its own that stays the same wherever it goes. A joiner's own gives way.
 */
export function groupBySharedNamespaces(containers: readonly Container[]): Container[] {
  const groups = new Map(containers.map((container) => [container.id, new Set([container.id])]));
  for (const { id, networkOf, ipcOf } of containers) {
    for (const owner of [networkOf, ipcOf]) {
      const theirs = groups.get(owner ?? "");
      const own = groups.get(id)!;
      if (theirs === undefined || theirs === own) continue;
      for (const member of own) groups.set(member, theirs.add(member));
    }
  }
  return containers.map((container) => {
    const group = groups.get(container.id)!;
    if (group.size === 1) return container;
    return { ...container, labels: { ...container.labels, [LABELS.group]: nameOf(containers.filter(({ id }) => group.has(id))) } };
  });
}

/** Of one group: by the owner of its network if it shares one, and of several by one that has a label. */
function nameOf(members: readonly Container[]): string {
  const owners = (of: "networkOf" | "ipcOf") => members.filter(({ id }) => members.some((each) => each[of] === id));
  const [networks, all] = [owners("networkOf"), [...owners("networkOf"), ...owners("ipcOf")]];
  const labelled = all.flatMap(({ labels }) => labels[LABELS.group]?.trim() || labels[LABELS.affinity]?.trim() || []).sort();
  const identities = (networks.length > 0 ? networks : all).map(({ id, labels }) => labels[LABELS.workload] || id).sort();
  return labelled[0] ?? `${networks.length > 0 ? "network" : "IPC"} of ${identities[0]}`;
}
