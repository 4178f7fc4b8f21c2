/**
 * Judges a solution by the rules of the ROADEF/EURO 2012 challenge, written from their text and sharing no code with the search:
 * everything is counted anew from the three files, in the plainest way.
 */
export interface Judgement {
  readonly feasible: boolean;
  /** One sentence each; at most `MOST_VIOLATIONS`. */
  readonly violations: readonly string[];
  readonly initialCost: number;
  readonly cost: number;
}

const MOST_VIOLATIONS = 20;

interface Machine {
  readonly neighbourhood: number;
  readonly location: number;
  readonly capacity: readonly number[];
  readonly safety: readonly number[];
  readonly moveCost: Int32Array;
}

interface Instance {
  readonly resources: readonly { readonly transient: boolean; readonly weight: number }[];
  readonly machines: readonly Machine[];
  readonly services: readonly { readonly spreadMin: number; readonly dependencies: readonly number[] }[];
  readonly processes: readonly { readonly service: number; readonly requirement: readonly number[]; readonly moveCost: number }[];
  readonly balances: readonly { readonly r1: number; readonly r2: number; readonly target: number; readonly weight: number }[];
  readonly weights: { readonly process: number; readonly service: number; readonly machine: number };
}

export function check(modelFile: Uint8Array, initialFile: Uint8Array, solutionFile: Uint8Array): Judgement {
  const instance = readInstance(modelFile);
  const initial = [...numbersOf(initialFile)];
  const solution = [...numbersOf(solutionFile)];
  const violations = wrongShape(instance, solution) ?? [
    ...capacityViolations(instance, initial, solution),
    ...serviceViolations(instance, solution),
  ];
  const cost = violations.length === 0 ? costOf(instance, initial, solution) : Number.NaN;
  return {
    feasible: violations.length === 0,
    violations: violations.slice(0, MOST_VIOLATIONS),
    initialCost: costOf(instance, initial, initial),
    cost,
  };
}

function wrongShape(instance: Instance, solution: readonly number[]): string[] | null {
  if (solution.length !== instance.processes.length) return [`${solution.length} machines for ${instance.processes.length} processes`];
  const wrong = solution.findIndex((m) => !(Number.isInteger(m) && m >= 0 && m < instance.machines.length));
  return wrong < 0 ? null : [`process ${wrong} is on machine ${solution[wrong]}, which does not exist`];
}

/** Capacity with transient use: a moved process takes its transient resources on its first machine, too. */
function capacityViolations(instance: Instance, initial: readonly number[], solution: readonly number[]): string[] {
  const violations: string[] = [];
  instance.resources.forEach((resource, r) => {
    const use = instance.machines.map(() => 0);
    instance.processes.forEach((process, p) => {
      const now = solution[p]!;
      const before = initial[p]!;
      use[now] = use[now]! + process.requirement[r]!;
      if (resource.transient && before !== now) use[before] = use[before]! + process.requirement[r]!;
    });
    instance.machines.forEach((machine, m) => {
      if (use[m]! > machine.capacity[r]!) violations.push(`machine ${m} uses ${use[m]} of ${machine.capacity[r]} of resource ${r}`);
    });
  });
  return violations;
}

/** Conflict, spread and dependency. */
function serviceViolations(instance: Instance, solution: readonly number[]): string[] {
  const violations: string[] = [];
  const machinesOf = instance.services.map((): number[] => []);
  instance.processes.forEach((process, p) => {
    machinesOf[process.service]!.push(solution[p]!);
  });
  const neighbourhoodsOf = machinesOf.map((machines) => new Set(machines.map((m) => instance.machines[m]!.neighbourhood)));
  instance.services.forEach((service, s) => {
    const machines = machinesOf[s]!;
    if (new Set(machines).size < machines.length) violations.push(`service ${s} has two processes on one machine`);
    const locations = new Set(machines.map((m) => instance.machines[m]!.location)).size;
    if (locations < service.spreadMin) violations.push(`service ${s} is in ${locations} locations, not ${service.spreadMin}`);
    for (const other of service.dependencies) {
      for (const n of neighbourhoodsOf[s]!) {
        if (!neighbourhoodsOf[other]!.has(n)) violations.push(`service ${s} runs in neighbourhood ${n} without service ${other}`);
      }
    }
  });
  return violations;
}

function costOf(instance: Instance, initial: readonly number[], solution: readonly number[]): number {
  const { resources, machines, services, processes, balances, weights } = instance;
  const use = machines.map(() => resources.map(() => 0));
  processes.forEach((process, p) => {
    const row = use[solution[p]!]!;
    process.requirement.forEach((needed, r) => {
      row[r] = row[r]! + needed;
    });
  });
  let total = 0;
  machines.forEach((machine, m) => {
    const row = use[m]!;
    resources.forEach((resource, r) => {
      total += resource.weight * Math.max(0, row[r]! - machine.safety[r]!);
    });
    for (const { r1, r2, target, weight } of balances) {
      const available = (r: number): number => machine.capacity[r]! - row[r]!;
      total += weight * Math.max(0, target * available(r1) - available(r2));
    }
  });
  const movedOf = services.map(() => 0);
  processes.forEach((process, p) => {
    const [before, now] = [initial[p]!, solution[p]!];
    total += weights.machine * machines[before]!.moveCost[now]!;
    if (before === now) return;
    total += weights.process * process.moveCost;
    movedOf[process.service] = movedOf[process.service]! + 1;
  });
  total += weights.service * movedOf.reduce((most, moved) => Math.max(most, moved), 0);
  return total;
}

function readInstance(file: Uint8Array): Instance {
  const numbers = numbersOf(file);
  const one = (): number => {
    const { value, done } = numbers.next();
    if (done) throw new Error("the model ends too early");
    return value;
  };
  const many = <T>(count: number, read: () => T): T[] => Array.from({ length: count }, read);
  const resources = many(one(), () => ({ transient: one() === 1, weight: one() }));
  const machineCount = one();
  const machines = many(machineCount, () => ({
    neighbourhood: one(),
    location: one(),
    capacity: resources.map(one),
    safety: resources.map(one),
    moveCost: Int32Array.from({ length: machineCount }, one),
  }));
  const services = many(one(), () => ({ spreadMin: one(), dependencies: many(one(), one) }));
  const processes = many(one(), () => ({ service: one(), requirement: resources.map(one), moveCost: one() }));
  const balances = many(one(), () => ({ r1: one(), r2: one(), target: one(), weight: one() }));
  return { resources, machines, services, processes, balances, weights: { process: one(), service: one(), machine: one() } };
}

function* numbersOf(file: Uint8Array): Generator<number, undefined> {
  let word = "";
  for (const byte of file) {
    if (byte > 0x20) word += String.fromCharCode(byte);
    else if (word !== "") {
      yield Number(word);
      word = "";
    }
  }
  if (word !== "") yield Number(word);
  return undefined;
}
