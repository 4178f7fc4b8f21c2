import type { SearchModel } from "./model.js";

/** Groups up to this size are looked through member by member; larger ones get a row of counts over all nodes. */
const SCANNED_GROUP_SIZE = 12;

/**
 * The rules that bind the workloads of a group: distinct nodes, zone spread, neighbourhood dependency. Keeps the counts they need.
 * A move is refused when it would break a rule, or break one further; a rule that is broken already does not stop a move that leaves it as it is.
 */
export class GroupRules {
  private readonly group: Int32Array;
  private readonly assignment: Int32Array;
  private readonly zone: Int32Array;
  private readonly neighbourhood: Int32Array;
  private readonly zones: number;
  private readonly neighbourhoods: number;
  private readonly nodes: number;
  private readonly spread: Int32Array;
  /** Per group: 1 = none of the rules can ever refuse a move of its workloads. */
  private readonly free: Uint8Array;
  private readonly memberOffset: Int32Array;
  private readonly members: Int32Array;
  /** Per group: row in a table of counts, -1 = that rule does not concern it. */
  private readonly nodeRow: Int32Array;
  private readonly zoneRow: Int32Array;
  private readonly neighbourhoodRow: Int32Array;
  private readonly scanned: Uint8Array;
  private readonly onNode: Uint16Array;
  private readonly inZone: Uint32Array;
  private readonly zonesUsed: Int32Array;
  private readonly inNeighbourhood: Uint32Array;
  private readonly needsOffset: Int32Array;
  private readonly needs: Int32Array;
  private readonly neededByOffset: Int32Array;
  private readonly neededBy: Int32Array;

  constructor(model: SearchModel, assignment: Int32Array) {
    this.group = model.group;
    this.assignment = assignment;
    this.zone = model.zone;
    this.neighbourhood = model.neighbourhood;
    this.zones = model.zones;
    this.neighbourhoods = model.neighbourhoods;
    this.nodes = model.nodes;
    this.spread = model.groupSpread;
    this.needsOffset = model.groupDependsOffset;
    this.needs = model.groupDependsOn;
    const { groups, workloads } = model;

    const memberRows = invert(model.group, groups);
    this.memberOffset = memberRows.offset;
    this.members = memberRows.values;
    const dependants = new Int32Array(this.needs.length);
    for (let g = 0; g < groups; g++) dependants.fill(g, this.needsOffset[g]!, this.needsOffset[g + 1]!);
    const neededByRows = invert(this.needs, groups);
    this.neededByOffset = neededByRows.offset;
    this.neededBy = neededByRows.values.map((entry) => dependants[entry]!);

    this.nodeRow = new Int32Array(groups).fill(-1);
    this.zoneRow = new Int32Array(groups).fill(-1);
    this.neighbourhoodRow = new Int32Array(groups).fill(-1);
    this.scanned = new Uint8Array(groups);
    this.free = new Uint8Array(groups);
    let nodeRows = 0;
    let zoneRows = 0;
    let neighbourhoodRows = 0;
    for (let g = 0; g < groups; g++) {
      const size = this.memberOffset[g + 1]! - this.memberOffset[g]!;
      if (model.groupDistinct[g] && size > 1) {
        if (size <= SCANNED_GROUP_SIZE) this.scanned[g] = 1;
        else this.nodeRow[g] = nodeRows++;
      }
      if (this.spread[g]! > 1) this.zoneRow[g] = zoneRows++;
      const depends = this.needsOffset[g + 1]! > this.needsOffset[g]!;
      const dependedOn = this.neededByOffset[g + 1]! > this.neededByOffset[g]!;
      if (depends || dependedOn) this.neighbourhoodRow[g] = neighbourhoodRows++;
      this.free[g] = this.scanned[g] || this.nodeRow[g]! >= 0 || this.zoneRow[g]! >= 0 || this.neighbourhoodRow[g]! >= 0 ? 0 : 1;
    }
    this.onNode = new Uint16Array(nodeRows * this.nodes);
    this.inZone = new Uint32Array(zoneRows * this.zones);
    this.zonesUsed = new Int32Array(zoneRows);
    this.inNeighbourhood = new Uint32Array(neighbourhoodRows * this.neighbourhoods);
    for (let w = 0; w < workloads; w++) this.count(w, assignment[w]!, 1);
  }

  /** Whether `workload` may go from its node to `to` as far as its group's rules are concerned. Changes nothing. */
  mayMove(workload: number, from: number, to: number): boolean {
    const g = this.group[workload]!;
    if (g < 0 || this.free[g]) return true;
    const nodeRow = this.nodeRow[g]!;
    if (nodeRow >= 0) {
      if (this.onNode[nodeRow * this.nodes + to]! > 0) return false;
    } else if (this.scanned[g]) {
      const end = this.memberOffset[g + 1]!;
      for (let i = this.memberOffset[g]!; i < end; i++) if (this.assignment[this.members[i]!] === to) return false;
    }
    const zoneRow = this.zoneRow[g]!;
    if (zoneRow >= 0) {
      const zoneFrom = this.zone[from]!;
      const zoneTo = this.zone[to]!;
      if (zoneFrom !== zoneTo && this.inZone[zoneRow * this.zones + zoneFrom] === 1 && this.inZone[zoneRow * this.zones + zoneTo]! > 0) {
        if (this.zonesUsed[zoneRow]! <= this.spread[g]!) return false;
      }
    }
    const row = this.neighbourhoodRow[g]!;
    if (row < 0) return true;
    const hoodFrom = this.neighbourhood[from]!;
    const hoodTo = this.neighbourhood[to]!;
    return hoodFrom === hoodTo || (this.findsItsNeeds(g, hoodFrom, hoodTo) && this.isSpared(g, row, hoodFrom));
  }

  /** Records a move. `assignment` itself belongs to the caller, who must have changed it already or do so next. */
  move(workload: number, from: number, to: number): void {
    const g = this.group[workload]!;
    if (g < 0 || this.free[g]) return;
    this.count(workload, from, -1);
    this.count(workload, to, 1);
  }

  private findsItsNeeds(g: number, hoodFrom: number, hoodTo: number): boolean {
    const hoods = this.neighbourhoods;
    const end = this.needsOffset[g + 1]!;
    for (let i = this.needsOffset[g]!; i < end; i++) {
      const needed = this.needs[i]!;
      if (needed === g) continue;
      const row = this.neighbourhoodRow[needed]! * hoods;
      if (this.inNeighbourhood[row + hoodTo] === 0 && this.inNeighbourhood[row + hoodFrom]! > 0) return false;
    }
    return true;
  }

  private isSpared(g: number, row: number, hoodFrom: number): boolean {
    const hoods = this.neighbourhoods;
    if (this.inNeighbourhood[row * hoods + hoodFrom]! > 1) return true;
    const end = this.neededByOffset[g + 1]!;
    for (let i = this.neededByOffset[g]!; i < end; i++) {
      const dependant = this.neededBy[i]!;
      if (dependant !== g && this.inNeighbourhood[this.neighbourhoodRow[dependant]! * hoods + hoodFrom]! > 0) return false;
    }
    return true;
  }

  private count(workload: number, node: number, change: 1 | -1): void {
    const g = this.group[workload]!;
    if (g < 0) return;
    const nodeRow = this.nodeRow[g]!;
    if (nodeRow >= 0) this.onNode[nodeRow * this.nodes + node] = this.onNode[nodeRow * this.nodes + node]! + change;
    const zoneRow = this.zoneRow[g]!;
    if (zoneRow >= 0) {
      const at = zoneRow * this.zones + this.zone[node]!;
      const now = this.inZone[at]! + change;
      this.inZone[at] = now;
      if (change === 1 && now === 1) this.zonesUsed[zoneRow] = this.zonesUsed[zoneRow]! + 1;
      else if (change === -1 && now === 0) this.zonesUsed[zoneRow] = this.zonesUsed[zoneRow]! - 1;
    }
    const row = this.neighbourhoodRow[g]!;
    if (row >= 0) {
      const at = row * this.neighbourhoods + this.neighbourhood[node]!;
      this.inNeighbourhood[at] = this.inNeighbourhood[at]! + change;
    }
  }
}

/** For each value 0 … count-1 the positions at which it stands in `values`; negative values are left out. */
export function invert(values: Int32Array, count: number): { offset: Int32Array; values: Int32Array } {
  const offset = new Int32Array(count + 1);
  let total = 0;
  for (const v of values) {
    if (v < 0) continue;
    offset[v + 1] = offset[v + 1]! + 1;
    total++;
  }
  for (let i = 0; i < count; i++) offset[i + 1] = offset[i + 1]! + offset[i]!;
  const next = offset.slice();
  const positions = new Int32Array(total);
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v < 0) continue;
    positions[next[v]!] = i;
    next[v] = next[v]! + 1;
  }
  return { offset, values: positions };
}
