import type { Fleet, NodeView } from "./fleet.js";
import { freedBy, type Need, needOf, needOfNewcomer, type Use } from "./need.js";
import { type Company, companyOf, join, startLeaving } from "./placement/company.js";
import type { WorkloadState } from "./types.js";

/**
 * Who holds what while a plan grows. Both ends of a move hold its workload: arrivals are added at once, departures are
 * never credited to a destination, so each move of a plan fits whatever order the moves finish in.
 */
export interface Ledger {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly company: Company;
  /** Moves under way for each disruption budget. */
  readonly disrupted: Map<string, number>;
  /** Moves under way of workloads that may be of any group: nobody knows their labels. */
  readonly disruptedUnknown: number;
  movesUnderWay: number;
  /** Moves planned here for the sake of levelling. */
  levellingMoves: number;
}

export interface Account {
  arrivingCpuCores: number;
  arrivingMemoryBytes: number;
  /** In memory besides, for as long as they arrive. */
  arrivingImageBytes: number;
  leavingCpuCores: number;
  leavingMemoryBytes: number;
  /** Open and planned moves that touch the node, at either end. */
  moves: number;
}

/** A guest of unknown size may take all there is. */
const EVERYTHING: Need = {
  cpuCores: Number.POSITIVE_INFINITY,
  memoryBytes: Number.POSITIVE_INFINITY,
  imageBytes: Number.POSITIVE_INFINITY,
};

export function openLedger(fleet: Fleet): Ledger {
  const ledger: Ledger = {
    accounts: new Map(fleet.nodes.map((node) => [node.id, openAccount(node)])),
    company: companyOf(fleet),
    disrupted: new Map(),
    disruptedUnknown: fleet.migrations.filter(({ workload: id }) => isOfUnknownGroup(fleet.workloadById.get(id))).length,
    movesUnderWay: 0,
    levellingMoves: 0,
  };
  for (const migration of fleet.migrations) {
    const workload = fleet.workloadById.get(migration.workload);
    const need = (workload && (workload.node === migration.to ? needOfNewcomer(workload) : needOf(workload))) ?? EVERYTHING;
    // The end that does not run it yet (or no more) holds it as well; the other one's readings count it already.
    if (workload?.node !== migration.to) arrive(ledger, migration.to, need);
    if (workload?.node === migration.to) arrive(ledger, migration.from, { ...need, imageBytes: 0 });
    if (workload?.node === migration.from) leave(ledger, migration.from, freedBy(workload));
    if (workload) disrupt(ledger, workload);
    countMove(ledger, migration.from, migration.to);
  }
  return ledger;
}

/** Enters a planned move. */
export function enterMove(ledger: Ledger, workload: WorkloadState, need: Need, target: NodeView): void {
  arrive(ledger, target.id, need);
  leave(ledger, workload.node, freedBy(workload));
  join(ledger.company, workload, target);
  startLeaving(ledger.company, workload, target.id);
  disrupt(ledger, workload);
  countMove(ledger, workload.node, target.id);
}

function isOfUnknownGroup(workload: WorkloadState | undefined): boolean {
  return workload === undefined || workload.labelsUnknown === true;
}

function openAccount(node: NodeView): Account {
  const account: Account = {
    arrivingCpuCores: 0,
    arrivingMemoryBytes: 0,
    arrivingImageBytes: 0,
    leavingCpuCores: 0,
    leavingMemoryBytes: 0,
    moves: 0,
  };
  const { history } = node.state;
  const measuredAt = history.at(-1)?.at ?? Number.POSITIVE_INFINITY;
  // CPU is a rate over the time between two readings: one that came in that time is in it for a part of that time only, and counts a little twice.
  const rateBeganAt = history.at(-2)?.at ?? measuredAt;
  for (const workload of node.workloads) {
    const { lastMovedAt } = workload;
    // At the very time of the reading: as apply-plan.ts leaves one, done and measured.
    if (lastMovedAt === null || lastMovedAt <= rateBeganAt || lastMovedAt === measuredAt) continue;
    const { cpuCores, memoryBytes } = needOfNewcomer(workload) ?? EVERYTHING;
    // What the last reading does not count at all.
    addTo(account, { cpuCores, memoryBytes: lastMovedAt > measuredAt ? memoryBytes : 0 });
  }
  return account;
}

function addTo(account: Account, need: Use): void {
  account.arrivingCpuCores += need.cpuCores;
  account.arrivingMemoryBytes += need.memoryBytes;
}

function arrive(ledger: Ledger, node: string, need: Need): void {
  const account = ledger.accounts.get(node);
  if (!account) return;
  addTo(account, need);
  account.arrivingImageBytes += need.imageBytes;
}

function leave(ledger: Ledger, node: string, need: Use): void {
  const account = ledger.accounts.get(node);
  if (!account) return;
  account.leavingCpuCores += need.cpuCores;
  account.leavingMemoryBytes += need.memoryBytes;
}

function disrupt(ledger: Ledger, { constraints }: WorkloadState): void {
  const group = constraints.disruptionBudget?.group;
  if (group !== undefined) ledger.disrupted.set(group, (ledger.disrupted.get(group) ?? 0) + 1);
}

function countMove(ledger: Ledger, from: string, to: string): void {
  ledger.movesUnderWay++;
  for (const node of from === to ? [from] : [from, to]) {
    const account = ledger.accounts.get(node);
    if (account) account.moves++;
  }
}

/** Moves entered to see whether they fit together, and taken back whole. */
export interface Trial {
  enter(workload: WorkloadState, need: Need, target: NodeView): void;
  undo(): void;
}

export function openTrial(ledger: Ledger): Trial {
  const undoing: (() => void)[] = [];
  return {
    enter: (workload, need, target) => {
      const { id, constraints, node, volumes = [] } = workload;
      const saved = [node, target.id].flatMap((end) => {
        const account = ledger.accounts.get(end);
        return account ? [{ account, before: { ...account } }] : [];
      });
      const { movesUnderWay, company, disrupted } = ledger;
      const group = constraints.disruptionBudget?.group;
      const disruptedBefore = group === undefined ? undefined : disrupted.get(group);
      const wasApart = constraints.antiAffinityGroup !== null && isAt(company.apart, constraints.antiAffinityGroup, target.id, id);
      const zone = constraints.zoneSpreadGroup && target.zone !== null ? target.zone : null;
      const wasInZone = zone !== null && isAt(company.zones, constraints.zoneSpreadGroup!, zone, id);
      enterMove(ledger, workload, need, target);
      undoing.push(() => {
        for (const { account, before } of saved) Object.assign(account, before);
        ledger.movesUnderWay = movesUnderWay;
        company.headedFor.delete(id);
        // What it entered last is on top.
        for (const volume of volumes) company.volumes.get(volume)?.pop();
        if (group !== undefined && disruptedBefore === undefined) disrupted.delete(group);
        else if (group !== undefined) disrupted.set(group, disruptedBefore!);
        if (constraints.antiAffinityGroup !== null && !wasApart)
          company.apart.get(constraints.antiAffinityGroup)?.get(target.id)?.delete(id);
        if (zone !== null && !wasInZone) company.zones.get(constraints.zoneSpreadGroup!)?.get(zone)?.delete(id);
      });
    },
    undo: () => {
      for (const step of undoing.splice(0).reverse()) step();
    },
  };
}

function isAt(groups: Company["apart"], group: string, place: string, workload: string): boolean {
  return groups.get(group)?.get(place)?.has(workload) ?? false;
}
