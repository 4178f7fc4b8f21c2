import { expect } from "chai";
import { interquartileRange, localRegression, staticThreshold } from "../../../bench/planetlab/baselines/detect.js";
import { heuristic } from "../../../bench/planetlab/baselines/heuristic.js";
import { engineConfig } from "../../../bench/planetlab/engine-config.js";
import { enginePolicy } from "../../../bench/planetlab/engine-policy.js";
import {
  buildFleet,
  type Decision,
  type Fleet,
  type FleetPolicy,
  type Host,
  remember,
  type TickingPolicy,
  type Vm,
} from "../../../bench/planetlab/fleet.js";
import { placeAll } from "../../../bench/planetlab/placement.js";
import { HOST_KINDS, wattsAt } from "../../../bench/planetlab/setup.js";
import { shareOut } from "../../../bench/planetlab/shares.js";
import { simulate } from "../../../bench/planetlab/simulate.js";
import type { Trace } from "../../../bench/planetlab/trace.js";

const [G4, G5] = HOST_KINDS as [(typeof HOST_KINDS)[0], (typeof HOST_KINDS)[0]];
const STAY: FleetPolicy = { name: "stay", decide: () => [] };

/** VMs of a fleet of four: 2500, 2000, 1000 and 500 MIPS. */
function loaded(...demandMips: number[]): { host: Host; vms: Vm[]; fleet: Fleet } {
  const fleet = buildFleet(2, 4);
  const host = fleet.hosts[0] as Host;
  const vms = demandMips.map((mips, i) => Object.assign(fleet.vms[i] as Vm, { demandMips: mips, host }));
  host.vms = [...vms];
  return { host, vms, fleet };
}

function steady(ratio: number): Trace {
  return new Float64Array(289).fill(ratio);
}

describe("the consolidation simulator", () => {
  it("reads power linearly between the measured tenths", () => {
    expect(wattsAt(G4, 0)).to.equal(86);
    expect(wattsAt(G4, 1)).to.equal(117);
    expect(wattsAt(G5, 0.25)).to.be.closeTo(103, 1e-9);
  });

  it("gives every VM what it asks while there is enough, but never more than one core", () => {
    const { host } = loaded(1900, 100);
    expect(shareOut(host)).to.deep.equal([1860, 100]);
  });

  it("gives all the same share, in whole MIPS, when there is not enough", () => {
    const { host } = loaded(1860, 1860, 1000);
    expect(shareOut(host)).to.deep.equal([1465, 1465, 788]);
  });

  it("takes a tenth of a migrating VM's CPU, and a tenth at its destination", () => {
    const { host, vms, fleet } = loaded(1000);
    const vm = vms[0] as Vm;
    const other = fleet.hosts[1] as Host;
    vm.migrating = true;
    other.arriving.add(vm);
    other.vms.push(vm);
    expect(shareOut(host)).to.deep.equal([900]);
    expect(shareOut(other)).to.deep.equal([100]);
  });

  it("begins with VMs where power rises least", () => {
    const fleet = buildFleet(4, 4);
    placeAll(fleet);
    expect(fleet.vms.map((vm) => vm.host?.index)).to.deep.equal([1, 3, 0, 2]);
  });

  it("meters the energy of a steady host and nothing else", () => {
    const score = simulate([steady(0.532)], STAY);
    // 0.532 × 2500 MIPS is a quarter of a G5 host, from the first reading to the last.
    expect(score.kWh).to.be.closeTo((103 * (86_100 - 300)) / 3_600_000, 1e-9);
    expect(score).to.include({ migrations: 0, slatah: 0, pdm: 0, esv: 0 });
  });

  it("counts what a migration costs: a tenth of the VM's CPU while its memory is copied", () => {
    let done = false;
    const once: FleetPolicy = {
      name: "once",
      decide(fleet) {
        if (done) return [];
        done = true;
        return [{ vm: fleet.vms[0] as Vm, to: fleet.hosts[3] as Host }];
      },
    };
    const score = simulate([steady(0.5)], once);
    const copySeconds = 870 / 62.5;
    expect(score.migrations).to.equal(1);
    expect(score.pdm).to.be.closeTo((0.1 * copySeconds) / 85_800, 1e-9);
    expect(score.slatah).to.be.greaterThan(0);
    expect(score.esv).to.be.closeTo(score.kWh * score.slatah * score.pdm, 1e-15);
  });

  it("lets a VM without demand leave for good, unless told to keep it", () => {
    const trace = steady(0.5).fill(0, 100, 110);
    const leaves = simulate([trace], STAY);
    const stays = simulate([trace], STAY, { keepIdle: true });
    expect(leaves.kWh).to.be.lessThan(stays.kWh / 2);
  });
});

describe("a policy that is asked again and again", () => {
  const nothing: Decision = { migrations: [], wake: [], sleep: [] };
  /** Does something once, at that moment. */
  const at = (seconds: number, what: (fleet: Fleet) => Partial<Decision>): TickingPolicy => ({
    name: "once",
    tickSeconds: 60,
    decide: (fleet, now) => (Math.abs(now - seconds) < 1 ? { ...nothing, ...what(fleet) } : nothing),
  });

  it("pays for the hosts that it keeps awake, from the first reading until it lets them sleep", () => {
    const vm = steady(0.532);
    const idle = simulate(
      [vm],
      at(0, () => ({})),
    );
    // The one host in use, a quarter full.
    expect(idle.kWh).to.be.closeTo((103 * (86_100 - 300)) / 3_600_000, 1e-9);
    const woken = simulate(
      [vm],
      at(600.1, (fleet) => ({ wake: [fleet.hosts[0]!] })),
    );
    expect(woken.kWh - idle.kWh).to.be.closeTo((86 * (86_100 - 600)) / 3_600_000, 1e-9);
  });

  it("has a host off from the moment that it lets it sleep, between two readings too, but never one in use", () => {
    const moved = at(600.1, (fleet) => ({ migrations: [{ vm: fleet.vms[0]!, to: fleet.hosts[3]! }], wake: [fleet.hosts[3]!] }));
    const trace = steady(0.532);
    const left = simulate([trace], moved).kWh;
    const asleep = (seconds: number) => {
      const sleeper = at(seconds, (fleet) => ({ sleep: [...fleet.hosts] }));
      return simulate([trace], { ...moved, decide: (fleet, now) => (now > 700 ? sleeper : moved).decide(fleet, now) }).kWh;
    };
    expect((left - asleep(900.1)) * 3_600_000).to.be.closeTo(93.7 * (86_100.1 - 900.1), 1);
    expect((asleep(1200.1) - asleep(1020.1)) * 3_600_000).to.be.closeTo(93.7 * 180, 1);
  });

  it("hears what was asked for at the readings only", () => {
    const heard = new Set<number>();
    const ramp = Float64Array.from({ length: 289 }, (_, i) => (i % 10) / 10);
    const times = new Set<number>();
    simulate([ramp], {
      name: "listener",
      tickSeconds: 60,
      decide: (fleet, now) => {
        times.add(Math.round(now));
        heard.add(Math.round(fleet.vms[0]!.history[0]! * 1000));
        return nothing;
      },
    });
    expect(times.size).to.equal(287 * 5);
    expect(heard.size).to.be.at.most(20);
  });
});

describe("the engine in the simulator", function () {
  // Seconds of CPU for some of these, and many more on a crowded machine.
  this.timeout(60_000);
  /** Small VMs on hosts of their own, asking for the same at each reading. */
  function spread(count: number): Fleet {
    const fleet = buildFleet(count, count);
    for (const vm of fleet.vms) {
      const host = fleet.hosts[vm.index]!;
      Object.assign(vm, { host, demandMips: 0.1 * vm.kind.mips });
      Object.assign(host, { vms: [vm], keptAwake: true });
    }
    return fleet;
  }

  /** Carries out at once what the policy decides. Returns how many moves there were. */
  function carryOut(policy: TickingPolicy, fleet: Fleet, seconds: number): number {
    let moved = 0;
    for (let now = 300; now < seconds; now += policy.tickSeconds) {
      if (now % 300 === 0) {
        fleet.seconds = now;
        remember(fleet);
      }
      const { migrations, wake, sleep } = policy.decide(fleet, now);
      for (const { vm, to } of migrations) {
        moved++;
        expect(to.keptAwake, "nothing is moved to a host that sleeps").to.equal(true);
        vm.host!.vms = vm.host!.vms.filter((other) => other !== vm);
        to.vms.push(vm);
        vm.host = to;
      }
      for (const host of wake) host.keptAwake = true;
      for (const host of sleep) {
        expect(host.vms).to.deep.equal([]);
        host.keptAwake = false;
      }
    }
    return moved;
  }

  it("is told what a scheduler is told, empties hosts, and lets those sleep that are empty", () => {
    const fleet = spread(12);
    const moved = carryOut(enginePolicy("engine", engineConfig("consolidate")), fleet, 14_400);
    const awake = fleet.hosts.filter(({ keptAwake }) => keptAwake);
    expect(moved).to.be.within(8, 24);
    expect(awake.length, "one more than needed: N+1").to.be.within(2, 4);
    // The G5 is the cheaper CPU.
    for (const { kind } of awake) expect(kind.name).to.equal("G5");
  });

  it("levels the hosts when that is what is measured, though none is overloaded, and lets none sleep", () => {
    const fleet = spread(8);
    // All on the first host, which is not overloaded by them.
    for (const host of fleet.hosts) host.vms = host.index === 0 ? [...fleet.vms] : [];
    for (const vm of fleet.vms) Object.assign(vm, { host: fleet.hosts[0], demandMips: 330 });
    const moved = carryOut(enginePolicy("engine", engineConfig("balance")), fleet, 7200);
    expect(moved).to.be.within(4, 8);
    expect(Math.max(...fleet.hosts.map(({ vms }) => vms.length)), "of eight on one host, the most that is left together").to.be.at.most(4);
    expect(fleet.hosts.every(({ keptAwake }) => keptAwake)).to.equal(true);
  });
});

describe("the baselines' overload detectors", () => {
  it("compare demand with a fixed bound", () => {
    const { host, vms } = loaded(1860, 1300);
    expect(staticThreshold(0.8)(host, vms)).to.equal(true);
    expect(staticThreshold(0.9)(host, vms)).to.equal(false);
  });

  it("lower the bound when the past is spread out", () => {
    const { host, vms } = loaded(1860, 1000);
    for (const vm of vms) vm.history.push(...Array.from({ length: 16 }, () => 0.4));
    expect(interquartileRange(1.5)(host, vms)).to.equal(false);
    for (const vm of vms) vm.history.splice(0, 16, ...Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? 0.7 : 0.3 + i / 100)));
    expect(interquartileRange(1.5)(host, vms)).to.equal(true);
  });

  it("follow the trend to the next interval", () => {
    const { host, vms } = loaded(1000, 1000);
    const rising = Array.from({ length: 10 }, (_, age) => 0.9 - age * 0.08);
    for (const vm of vms) vm.history.push(...rising);
    expect(localRegression(1.2)(host, vms)).to.equal(true);
    for (const vm of vms) vm.history.reverse();
    expect(localRegression(1.2)(host, vms)).to.equal(false);
  });

  it("leave nothing overloaded that the heuristic can help", () => {
    const { host, fleet } = loaded(1860, 1500, 300);
    host.usedMips = 3660;
    const moves = heuristic("thr", staticThreshold(0.8)).decide(fleet);
    // The smallest memory goes first; the VM of 870 MB is enough.
    expect(moves.map((move) => [move.vm.index, move.to.index])).to.deep.equal([[0, 1]]);
  });
});
