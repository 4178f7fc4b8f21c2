import type { Balance, SearchModel } from "../../policies/search/model.js";
import { IntegerReader } from "./integer-reader.js";

const MOST_COUNT = 10_000_000;

/**
 * Maps an instance of the ROADEF/EURO 2012 challenge (two files' bytes) onto the engine's model: machine = node, process = workload,
 * service = distinct group, location = zone, safety capacity = soft capacity. Nothing is lost or added.
 * The arrays lie in shared memory, so that threads can search the same model.
 */
export function parseInstance(model: Uint8Array, modelName: string, assignment: Uint8Array, assignmentName: string): SearchModel {
  const read = new IntegerReader(model, modelName);
  const resources = read.next("the number of resources", 1, 10_000);
  const transient = sharedBytes(resources);
  const softWeight = sharedNumbers(resources);
  for (let r = 0; r < resources; r++) {
    transient[r] = read.next(`resource ${r}'s transient flag`, 0, 1);
    softWeight[r] = read.next(`resource ${r}'s weight`);
  }

  const nodes = read.next("the number of machines", 1, MOST_COUNT);
  const capacity = sharedNumbers(nodes * resources);
  const softCapacity = sharedNumbers(nodes * resources);
  const zone = sharedIntegers(nodes);
  const neighbourhood = sharedIntegers(nodes);
  const nodeMoveCost = new Float32Array(new SharedArrayBuffer(nodes * nodes * 4));
  for (let m = 0; m < nodes; m++) {
    neighbourhood[m] = read.next(`machine ${m}'s neighbourhood`, 0, MOST_COUNT);
    zone[m] = read.next(`machine ${m}'s location`, 0, MOST_COUNT);
    for (let r = 0; r < resources; r++) capacity[m * resources + r] = read.next(`machine ${m}'s capacity`);
    for (let r = 0; r < resources; r++) softCapacity[m * resources + r] = read.next(`machine ${m}'s safety capacity`);
    // 2^24: up to there a 32-bit float holds every integer exactly.
    for (let to = 0; to < nodes; to++) nodeMoveCost[m * nodes + to] = read.next(`machine ${m}'s move cost`, 0, 2 ** 24);
  }

  const groups = read.next("the number of services", 0, MOST_COUNT);
  const groupSpread = sharedIntegers(groups);
  const groupDependsOffset = sharedIntegers(groups + 1);
  const dependsOn: number[] = [];
  for (let s = 0; s < groups; s++) {
    groupSpread[s] = read.next(`service ${s}'s spread`, 0, MOST_COUNT);
    const dependencies = read.next(`service ${s}'s number of dependencies`, 0, groups);
    for (let d = 0; d < dependencies; d++) dependsOn.push(read.next(`service ${s}'s dependency`, 0, groups - 1));
    groupDependsOffset[s + 1] = dependsOn.length;
  }

  const workloads = read.next("the number of processes", 1, MOST_COUNT);
  const group = sharedIntegers(workloads);
  const requirement = sharedNumbers(workloads * resources);
  const moveCost = sharedNumbers(workloads);
  for (let p = 0; p < workloads; p++) {
    group[p] = read.next(`process ${p}'s service`, 0, groups - 1);
    for (let r = 0; r < resources; r++) requirement[p * resources + r] = read.next(`process ${p}'s requirement`);
    moveCost[p] = read.next(`process ${p}'s move cost`);
  }

  const balances: Balance[] = [];
  for (let b = read.next("the number of balance costs", 0, MOST_COUNT); b > 0; b--) {
    const first = read.next("a balance's first resource", 0, resources - 1);
    const second = read.next("a balance's second resource", 0, resources - 1);
    const target = read.next("a balance's target");
    balances.push({ first, second, target, weight: read.next("a balance's weight") });
  }
  const workloadMoveWeight = read.next("the weight of process move cost");
  const groupMoveWeight = read.next("the weight of service move cost");
  const nodeMoveWeight = read.next("the weight of machine move cost");
  read.end();
  for (let p = 0; p < workloads; p++) moveCost[p] = moveCost[p]! * workloadMoveWeight;

  return {
    resources,
    nodes,
    workloads,
    groups,
    zones: zone.reduce((most, z) => Math.max(most, z + 1), 1),
    neighbourhoods: neighbourhood.reduce((most, n) => Math.max(most, n + 1), 1),
    capacity,
    softCapacity,
    softWeight,
    transient,
    zone,
    neighbourhood,
    closed: sharedBytes(nodes),
    stayCost: sharedNumbers(nodes),
    requirement,
    start: parseAssignment(assignment, assignmentName, workloads, nodes),
    group,
    moveCost,
    pinnedOffset: sharedIntegers(workloads + 1),
    pinnedNodes: sharedIntegers(0),
    groupDistinct: sharedBytes(groups).fill(1),
    groupSpread,
    groupDependsOffset,
    groupDependsOn: sharedIntegers(dependsOn.length, dependsOn),
    groupMoveWeight,
    nodeMoveCost,
    nodeMoveWeight,
    balances,
    levels: [],
  };
}

function parseAssignment(bytes: Uint8Array, name: string, workloads: number, nodes: number): Int32Array {
  const read = new IntegerReader(bytes, name);
  const start = sharedIntegers(workloads);
  for (let p = 0; p < workloads; p++) start[p] = read.next(`process ${p}'s machine`, 0, nodes - 1);
  read.end();
  return start;
}

const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));
const sharedNumbers = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(length * 8));
function sharedIntegers(length: number, values?: readonly number[]): Int32Array {
  const array = new Int32Array(new SharedArrayBuffer(length * 4));
  if (values) array.set(values);
  return array;
}
