import { type Fleet, type FleetPolicy, type Migration, usedRatio, type Vm } from "../fleet.js";
import type { OverloadDetector } from "./detect.js";
import { bestFit, type Draft, draftOf, put, take } from "./draft.js";

/**
 * The literature's two-step heuristic (Beloglazov and Buyya 2012): relieve overloaded hosts of the VMs that are quickest
 * to migrate, then try to empty the others, least loaded first.
 */
export function heuristic(name: string, overloaded: OverloadDetector): FleetPolicy {
  return { name, decide: (fleet) => decide(fleet, overloaded) };
}

function decide(fleet: Fleet, overloaded: OverloadDetector): Migration[] {
  const drafts = fleet.hosts.map(draftOf);
  const over = new Set(drafts.filter((draft) => overloaded(draft.host, draft.vms)));
  const evicted = [...over].flatMap((draft) => relieve(draft, overloaded));
  const migrations: Migration[] = [];
  for (const vm of byDemand(evicted)) {
    const target = bestFit(drafts, vm, over, overloaded);
    if (target === null) continue;
    put(target, vm);
    migrations.push({ vm, to: target.host });
  }
  return [...migrations, ...emptyUnderloaded(drafts, over, overloaded)];
}

/** Minimum migration time: the smallest memory goes first. */
function relieve(draft: Draft, overloaded: OverloadDetector): Vm[] {
  const evicted: Vm[] = [];
  do {
    const first = draft.vms[0];
    if (first === undefined) break;
    const smallest = draft.vms.reduce((best, vm) => (vm.kind.memoryMegabytes < best.kind.memoryMegabytes ? vm : best), first);
    take(draft, smallest);
    evicted.push(smallest);
  } while (overloaded(draft.host, draft.vms));
  return evicted;
}

function emptyUnderloaded(drafts: readonly Draft[], over: ReadonlySet<Draft>, overloaded: OverloadDetector): Migration[] {
  const off = drafts.filter((draft) => usedRatio(draft.host) === 0);
  const notSource = new Set([...over, ...off]);
  const notTarget = new Set(notSource);
  const migrations: Migration[] = [];
  const byLoad = drafts.filter((draft) => usedRatio(draft.host) < 1).sort((a, b) => usedRatio(a.host) - usedRatio(b.host));
  for (const source of byLoad) {
    if (notSource.has(source) || source.vms.length === 0) continue;
    notTarget.add(source);
    const placed: { vm: Vm; target: Draft }[] = [];
    for (const vm of byDemand(source.vms)) {
      const target = bestFit(drafts, vm, notTarget, overloaded);
      if (target === null) {
        for (const { vm: back, target: from } of placed.splice(0)) take(from, back);
        break;
      }
      put(target, vm);
      placed.push({ vm, target });
    }
    for (const { vm, target } of placed) {
      notSource.add(target);
      migrations.push({ vm, to: target.host });
    }
  }
  return migrations;
}

function byDemand(vms: readonly Vm[]): Vm[] {
  return vms.toSorted((a, b) => b.demandMips - a.demandMips);
}
