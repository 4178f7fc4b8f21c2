import { expect } from "chai";
import fc from "fast-check";
import { applyPlan } from "../../../policies/apply-plan.js";
import { DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../../../policies/config.js";
import { decide } from "../../../policies/decide.js";
import type { NodeState, Snapshot } from "../../../policies/types.js";
import { constraints, flatHistory, GIBIBYTE, NOW, node, snapshot, workload } from "../../unit/policies/small-fleet.js";
import { runTicks } from "../../unit/policies/ticking-fleet.js";

const CONFIG: PolicyConfig = {
  ...DEFAULT_POLICY_CONFIG,
  concurrency: { perNode: 1000, fleet: 1000 },
  cooldownSeconds: 0,
  fairness: { movesPerDay: 1000, cooldownGrowth: 1 },
  balance: { ...DEFAULT_POLICY_CONFIG.balance, enabled: true, movesPerPlan: 1000, minimumGainRatio: 0.05 },
};

const percents = (max: number) => fc.integer({ min: 1, max }).map((percent) => percent / 100);
const anyItem = fc.record({
  on: fc.nat({ max: 5 }),
  cpu: percents(30),
  memory: percents(20),
  group: fc.constantFrom(null, null, null, "g1", "g2"),
  pinned: fc.constantFrom(false, false, false, false, true),
});

/** Nodes alike in which nothing is in trouble: each holds at most 70 %, whatever does not fit is left out. */
const calmFleet: fc.Arbitrary<Snapshot> = fc
  .tuple(fc.integer({ min: 2, max: 6 }), fc.array(anyItem, { minLength: 4, maxLength: 30, size: "max" }))
  .map(([count, items]) => {
    const cpu = Array.from({ length: count }, () => 0);
    const memory = Array.from({ length: count }, () => 0.05);
    const workloads = items.flatMap((item, index) => {
      const on = Math.min(item.on, count - 1);
      if (cpu[on]! + item.cpu > 0.7 || memory[on]! + item.memory > 0.7) return [];
      cpu[on]! += item.cpu;
      memory[on]! += item.memory;
      const bound = constraints({ antiAffinityGroup: item.group, pinnedTo: item.pinned ? [`n${on}`] : [] });
      const memoryUsedBytes = item.memory * 16 * GIBIBYTE;
      return [workload(`w${index}`, `n${on}`, item.cpu * 8, { memoryUsedBytes, constraints: bound, dirtyBytesPerSecond: 1e6 })];
    });
    const nodes = cpu.map((ratio, on) => node(`n${on}`, ratio, memory[on], { history: flatHistory(ratio, memory[on], NOW, 400) }));
    return snapshot(nodes, workloads);
  });

/** As docs/objective.md has it, not divided by anything. */
function distanceFromLevel(nodes: readonly NodeState[]): number {
  const sum = (ratios: number[]) => {
    const mean = ratios.reduce((total, ratio) => total + ratio, 0) / ratios.length;
    return ratios.reduce((total, ratio) => total + (ratio - mean) ** 2, 0);
  };
  const cpu = sum(nodes.map(({ cpuUsedCores, cpuCapacityCores }) => cpuUsedCores! / cpuCapacityCores));
  return cpu + 0.5 * sum(nodes.map(({ memoryUsedBytes, memoryCapacityBytes }) => memoryUsedBytes! / memoryCapacityBytes));
}

describe("any balancing", function () {
  // Each plan runs the optimiser.
  this.timeout(60_000);

  it("brings the fleet nearer to level with every plan that moves anything", () => {
    let moved = 0;
    fc.assert(
      fc.property(calmFleet, (state) => {
        const plan = decide(state, CONFIG, NOW);
        moved += plan.moves.length;
        if (plan.moves.length > 0) expect(distanceFromLevel(applyPlan(state, plan).nodes)).to.be.lessThan(distanceFromLevel(state.nodes));
      }),
      { numRuns: 150 },
    );
    expect(moved).to.be.greaterThan(100);
  });

  it("leaves nothing for a second plan to begin, and the plans that go on to the lower bound come to rest", () => {
    fc.assert(
      fc.property(calmFleet, (start) => {
        let state = applyPlan(start, decide(start, CONFIG, NOW));
        expect(decide({ ...state, levelledAt: null }, CONFIG, NOW).moves).to.deep.equal([]);
        for (let plans = 1; ; plans++) {
          const plan = decide(state, CONFIG, NOW);
          if (plan.moves.length === 0) break;
          expect(plans).to.be.lessThan(10);
          const next = applyPlan(state, plan);
          expect(distanceFromLevel(next.nodes)).to.be.lessThan(distanceFromLevel(state.nodes));
          state = next;
        }
      }),
      { numRuns: 150 },
    );
  });

  it("comes to rest under steady load, and overloads nobody on the way", () => {
    fc.assert(
      fc.property(calmFleet, (state) => {
        const { moves, plans } = runTicks(state, CONFIG, 240);
        expect(moves.every(({ reason }) => reason === "balance")).to.equal(true);
        expect(moves.length).to.be.at.most(2 * state.workloads.length);
        expect(plans.slice(-60).flatMap((plan) => plan.moves)).to.deep.equal([]);
      }),
      { numRuns: 25 },
    );
  });
});
