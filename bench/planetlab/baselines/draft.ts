import { type Host, usedRatio, type Vm } from "../fleet.js";
import { wattsAt } from "../setup.js";
import type { OverloadDetector } from "./detect.js";

/** A host as a decision in the making leaves it. */
export interface Draft {
  readonly host: Host;
  readonly vms: Vm[];
  availableMips: number;
  allocatedMips: number;
  /** Power at the last reading: new arrivals are priced against it, also those of the same round. */
  readonly watts: number;
}

export function draftOf(host: Host): Draft {
  const draft: Draft = { host, vms: [...host.vms], availableMips: 0, allocatedMips: 0, watts: wattsAt(host.kind, usedRatio(host)) };
  recount(draft);
  return draft;
}

export function put(draft: Draft, vm: Vm): void {
  draft.vms.push(vm);
  recount(draft);
}

export function take(draft: Draft, vm: Vm): void {
  draft.vms.splice(draft.vms.indexOf(vm), 1);
  recount(draft);
}

function recount(draft: Draft): void {
  const { capacityMips, kind } = draft.host;
  let asked = 0;
  for (const vm of draft.vms) asked += Math.min(vm.demandMips, kind.coreMips);
  draft.availableMips = Math.max(0, capacityMips - asked);
  draft.allocatedMips = Math.min(asked, capacityMips);
}

/** Power-aware best fit: the host whose power rises least and that would not be overloaded; null = none. */
export function bestFit(drafts: readonly Draft[], vm: Vm, excluded: ReadonlySet<Draft>, overloaded: OverloadDetector): Draft | null {
  let best: Draft | null = null;
  let bestWatts = Number.POSITIVE_INFINITY;
  for (const draft of drafts) {
    const { kind, capacityMips } = draft.host;
    if (draft.availableMips < vm.demandMips || kind.coreMips < vm.demandMips || excluded.has(draft)) continue;
    const watts = wattsAt(kind, Math.min(1, (draft.allocatedMips + vm.demandMips) / capacityMips)) - draft.watts;
    if (watts >= bestWatts) continue;
    if (draft.allocatedMips !== 0 && overloaded(draft.host, [...draft.vms, vm])) continue;
    best = draft;
    bestWatts = watts;
  }
  return best;
}
