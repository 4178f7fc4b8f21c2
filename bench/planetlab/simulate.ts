import {
  buildFleet,
  type Decision,
  detach,
  type Fleet,
  type FleetPolicy,
  type Host,
  type Migration,
  remember,
  type TickingPolicy,
  usedRatio,
} from "./fleet.js";
import { Meters, type Score } from "./meters.js";
import { placeAll } from "./placement.js";
import {
  DAY_SECONDS,
  HOST_COUNT,
  INTERVAL_SECONDS,
  MIGRATING_SOURCE_SHARE,
  MIGRATION_MEGABYTES_PER_SECOND,
  START_SECONDS,
} from "./setup.js";
import { shareOut } from "./shares.js";
import { demandRatioAt, type Trace } from "./trace.js";

const FIRST_READING_SECONDS = START_SECONDS + INTERVAL_SECONDS;

export interface SimulateOptions {
  /** VMs that ask for nothing stay where they are, instead of leaving for good. */
  readonly keepIdle?: boolean;
}

/** Runs one day under one policy. Follows the event order of CloudSim 4.0's power package, so that its figures compare. */
export function simulate(traces: readonly Trace[], policy: FleetPolicy | TickingPolicy, options: SimulateOptions = {}): Score {
  const fleet = buildFleet(HOST_COUNT, traces.length);
  const meters = new Meters();
  const underWay: Arrivals = new Map();
  const settle = options.keepIdle ? () => {} : () => retireIdle(fleet);
  const moveClock = (seconds: number) => {
    advance(fleet, traces, seconds, meters);
    settle();
  };
  const arriveUntil = (seconds: number) => {
    for (const arrival of [...underWay.keys()].filter((each) => each <= seconds).sort((a, b) => a - b)) {
      moveClock(arrival);
      for (const migration of underWay.get(arrival)!) finish(migration);
      underWay.delete(arrival);
      moveClock(arrival);
    }
  };
  placeAll(fleet);
  const ticking = asTicking(policy);
  for (let seconds = FIRST_READING_SECONDS; seconds < DAY_SECONDS; seconds += INTERVAL_SECONDS) {
    arriveUntil(seconds);
    advance(fleet, traces, seconds, meters);
    remember(fleet);
    settle();
    if (ticking === policy && seconds === FIRST_READING_SECONDS) for (const host of fleet.hosts) host.keptAwake = host.vms.length > 0;
    for (let now = seconds; now < seconds + INTERVAL_SECONDS; now += ticking.tickSeconds) {
      arriveUntil(now);
      const decision = ticking.decide(fleet, now);
      if (decision.migrations.length + decision.wake.length + decision.sleep.length === 0) continue;
      if (now > fleet.seconds) moveClock(now);
      carryOut(decision, now, underWay, meters);
    }
  }
  arriveUntil(Number.POSITIVE_INFINITY);
  return meters.score();
}

/** Migrations under way by the time of their arrival. */
type Arrivals = Map<number, Migration[]>;

function asTicking(policy: FleetPolicy | TickingPolicy): TickingPolicy {
  if ("tickSeconds" in policy) return policy;
  const { name } = policy;
  return { name, tickSeconds: INTERVAL_SECONDS, decide: (fleet) => ({ migrations: policy.decide(fleet), wake: [], sleep: [] }) };
}

function carryOut({ migrations, wake, sleep }: Decision, seconds: number, underWay: Arrivals, meters: Meters): void {
  for (const host of wake) host.keptAwake = true;
  for (const host of sleep) host.keptAwake = host.vms.length > 0;
  for (const migration of migrations) {
    // Its work may have ended just now.
    if (migration.vm.host === null) continue;
    start(migration, seconds, meters);
    const arrival = seconds + migration.vm.kind.memoryMegabytes / MIGRATION_MEGABYTES_PER_SECOND;
    underWay.set(arrival, [...(underWay.get(arrival) ?? []), migration]);
  }
}

/** Moves the clock, reads new demands, shares out the CPU, and meters every host. */
function advance(fleet: Fleet, traces: readonly Trace[], seconds: number, meters: Meters): void {
  const frameSeconds = seconds - fleet.seconds;
  fleet.seconds = seconds;
  for (const vm of fleet.vms) {
    if (vm.host !== null) vm.demandMips = demandRatioAt(traces[vm.index] as Trace, seconds) * vm.kind.mips;
  }
  for (const host of fleet.hosts) {
    const before = usedRatio(host);
    read(host, seconds, meters);
    if (frameSeconds > 0) meters.addEnergy(host, before, usedRatio(host), frameSeconds);
  }
}

function read(host: Host, seconds: number, meters: Meters): void {
  const shares = shareOut(host);
  let used = 0;
  let requested = 0;
  host.vms.forEach((vm, i) => {
    let allocated = shares[i] as number;
    if (!host.arriving.has(vm)) {
      meters.readVm(vm, { seconds, allocated, requested: vm.demandMips, flag: vm.migrating });
      // The work of migrating keeps the host as busy as the VM would.
      if (vm.migrating) allocated /= MIGRATING_SOURCE_SHARE;
    }
    used += allocated;
    requested += vm.demandMips;
  });
  host.usedMips = used;
  meters.readHost(host, { seconds, allocated: used, requested, flag: used > 0 });
}

/** A VM that asks for nothing has ended its work and leaves for good (CloudSim 4.0 does this, and half of the VMs meet it). */
function retireIdle(fleet: Fleet): void {
  for (const vm of fleet.vms) {
    if (vm.host === null || vm.migrating || vm.demandMips !== 0) continue;
    detach(vm.host, vm);
    vm.host = null;
  }
}

function start({ vm, to }: Migration, seconds: number, meters: Meters): void {
  vm.migrating = true;
  meters.countMigration();
  to.arriving.add(vm);
  to.vms.push(vm);
  read(to, seconds, meters);
  if (vm.host !== null) read(vm.host, seconds, meters);
}

function finish({ vm, to }: Migration): void {
  if (vm.host !== null) detach(vm.host, vm);
  detach(to, vm);
  to.arriving.delete(vm);
  to.vms.push(vm);
  vm.host = to;
  vm.migrating = false;
}
