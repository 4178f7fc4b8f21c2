import { expect } from "chai";
import { generateCluster } from "../../../bench/planner/cluster.js";
import { judge } from "../../../bench/planner/judge.js";
import { toModel } from "../../../bench/planner/to-model.js";
import { CostQueue } from "../../../policies/level/cost-queue.js";
import { descendEvenly } from "../../../policies/level/descend-evenly.js";
import { type LevelOptions, levelFleet } from "../../../policies/level/level-fleet.js";
import { type LevelMove, sequence } from "../../../policies/level/sequence.js";
import { spreadsOf } from "../../../policies/level/spread.js";
import { descendSteepest } from "../../../policies/level/steepest.js";
import { buildModel, type ModelSpec } from "../../../policies/search/build-model.js";
import type { SearchModel } from "../../../policies/search/model.js";
import { SearchState } from "../../../policies/search/state.js";

const OPTIONS: LevelOptions = { seed: 1, maxMoves: 1000, minGain: 0.01, proposals: 5000 };

function cpuModel(capacity: number, workloads: ModelSpec["workloads"], nodes: ModelSpec["nodes"] = []): SearchModel {
  const used = workloads.reduce((sum, w) => sum + (w.requirement[0] ?? 0), 0);
  const all = nodes.length > 0 ? nodes : [{ capacity: [capacity] }, { capacity: [capacity] }];
  return buildModel({
    resources: [{}],
    nodes: all,
    workloads,
    groups: [{ distinct: true }],
    levels: [{ resource: 0, target: used / (capacity * all.length), weight: 100 }],
  });
}

function costAfter(model: SearchModel, moves: readonly LevelMove[]): number {
  const state = new SearchState(model);
  for (const move of moves) state.shift(move.workload, move.to);
  return state.cost;
}

describe("levelling a fleet", function () {
  // Seconds of CPU for some of these, and many more on a crowded machine.
  this.timeout(60_000);
  it("moves just what makes two nodes even", () => {
    const model = cpuModel(
      10,
      [4, 3, 1].map((cpu) => ({ node: 0, requirement: [cpu], moveCost: 0.1 })),
    );
    expect(levelFleet(model, OPTIONS)).to.deep.equal([{ workload: 0, from: 0, to: 1 }]);
  });

  it("leaves a level fleet alone", () => {
    const model = cpuModel(
      10,
      [0, 1].map((node) => ({ node, requirement: [4] })),
    );
    expect(levelFleet(model, OPTIONS)).to.deep.equal([]);
  });

  it("does not move what costs more to move than it gains", () => {
    const model = cpuModel(
      10,
      [4, 4].map((cpu) => ({ node: 0, requirement: [cpu], moveCost: 1000 })),
    );
    expect(levelFleet(model, OPTIONS)).to.deep.equal([]);
  });

  it("keeps pins, closed nodes and groups", () => {
    const pinned = cpuModel(
      10,
      [4, 4].map((cpu) => ({ node: 0, requirement: [cpu], pinnedTo: [0] })),
    );
    expect(levelFleet(pinned, OPTIONS)).to.deep.equal([]);
    const closed = cpuModel(
      10,
      [4, 4].map((cpu) => ({ node: 0, requirement: [cpu] })),
      [{ capacity: [10] }, { capacity: [10], closed: true }],
    );
    expect(levelFleet(closed, OPTIONS)).to.deep.equal([]);
    const apart = cpuModel(10, [
      { node: 0, requirement: [4], group: 0 },
      { node: 1, requirement: [0.1], group: 0 },
    ]);
    expect(levelFleet(apart, OPTIONS).filter((move) => move.workload === 0)).to.have.length.at.most(1);
  });

  it("makes moves in an order in which each has room, and leaves out what never has", () => {
    const full = buildModel({
      resources: [{}, {}],
      nodes: [{ capacity: [10, 10] }, { capacity: [10, 10] }],
      workloads: [
        { node: 0, requirement: [8, 6] },
        { node: 0, requirement: [0, 4] },
        { node: 1, requirement: [2, 6] },
        { node: 1, requirement: [2, 4] },
      ],
      levels: [{ resource: 0, target: 0.6, weight: 100 }],
    });
    // Every node's memory is full: whatever is exchanged, nobody can go first.
    expect(levelFleet(full, OPTIONS)).to.deep.equal([]);
  });

  for (let seed = 1; seed <= 8; seed++) {
    it(`breaks no rule and gains with every budget (cluster ${seed})`, () => {
      const cluster = generateCluster(12, 90, seed);
      const model = toModel(cluster);
      const before = new SearchState(model).cost;
      for (const maxMoves of [1, 5, 20, 90]) {
        const moves = levelFleet(model, { ...OPTIONS, maxMoves });
        expect(moves.length).to.be.at.most(maxMoves);
        // The judge carries the moves out one by one and throws at the first that breaks a rule.
        judge(
          cluster,
          moves.map((move) => ({ workload: `w${move.workload}`, to: `n${move.to}` })),
        );
        expect(costAfter(model, moves)).to.be.lessThan(before);
      }
    });
  }

  it("is the same for the same seed", () => {
    const model = toModel(generateCluster(12, 90, 3));
    expect(levelFleet(model, OPTIONS)).to.deep.equal(levelFleet(model, OPTIONS));
  });

  it("levels a fleet that is too large to weigh every pair", () => {
    const cluster = generateCluster(700, 7000, 1);
    const moves = levelFleet(toModel(cluster), { ...OPTIONS, maxMoves: 7000 });
    const after = judge(
      cluster,
      moves.map((move) => ({ workload: `w${move.workload}`, to: `n${move.to}` })),
    );
    expect(after.cpuStddev).to.be.lessThan(judge(cluster, []).cpuStddev / 5);
  });
});

describe("the queue of nodes by cost", () => {
  it("gives the costliest first, each once, with the cost it has now", () => {
    const costs = Float64Array.from([3, 9, 1, 7]);
    const queue = new CostQueue(costs);
    costs[2] = 8;
    queue.add(2);
    costs[3] = 0.5;
    queue.add(3);
    expect([queue.take(), queue.take(), queue.take(), queue.take(), queue.take()]).to.deep.equal([1, 2, 0, 3, -1]);
  });
});

describe("with a budget of moves that binds", function () {
  // Seconds of CPU for some of these, and many more on a crowded machine.
  this.timeout(60_000);
  const spreadAfter = (cluster: ReturnType<typeof generateCluster>, moves: readonly { workload: number; to: number }[]) =>
    judge(
      cluster,
      moves.map((move) => ({ workload: `w${move.workload}`, to: `n${move.to}` })),
    );
  /** What a greedy planner makes of it that looks at every pair and lowers the sum of the deviations most with each move. */
  const greedyMoves = (model: SearchModel, maxMoves: number) => {
    const state = new SearchState(model);
    state.moves.maxMoves = maxMoves;
    descendEvenly(state, { maxMoves, minGain: 0.01 });
    return sequence(model, state.assignment, 0.01);
  };

  for (let seed = 1; seed <= 6; seed++) {
    it(`levels no resource at the expense of another: nothing is worse than by careful greedy moves (cluster ${seed})`, () => {
      const cluster = generateCluster(25, 300, seed);
      const model = toModel(cluster);
      let better = 0;
      for (const maxMoves of [4, 8, 16, 24]) {
        const greedy = spreadAfter(cluster, greedyMoves(model, maxMoves));
        const ours = spreadAfter(cluster, levelFleet(model, { ...OPTIONS, maxMoves, proposals: 60_000 }));
        for (const measure of ["cpuStddev", "cpuMax", "memoryStddev", "memoryMax"] as const)
          expect(ours[measure], `${measure} with ${maxMoves} moves`).to.be.at.most(greedy[measure] + 1e-9);
        if (ours.cpuStddev + ours.memoryStddev < greedy.cpuStddev + greedy.memoryStddev - 1e-6) better++;
      }
      expect(better).to.be.at.least(1);
    });
  }

  it("trades as warmly where the descent has left but one move of the budget", () => {
    const model = toModel(generateCluster(20, 80, 1));
    const descended = new SearchState(model);
    descended.moves.maxMoves = 26;
    descendSteepest(descended, { maxMoves: 26, minGain: 0.01 });
    expect(descended.moves.moved).to.equal(25);
    const traded = levelFleet(model, { ...OPTIONS, maxMoves: 26, proposals: 40_000 });
    expect(costAfter(model, traded)).to.be.lessThan(descended.cost / 2);
  });

  it("is greedy by the sum of the deviations: each move lowers it most", () => {
    const model = toModel(generateCluster(5, 20, 2));
    const sum = (state: SearchState) => spreadsOf(state).reduce((total, { deviation }) => total + deviation, 0);
    const chosen = new SearchState(model);
    chosen.moves.maxMoves = 1;
    descendEvenly(chosen, { maxMoves: 1, minGain: 0.01 });
    const before = new SearchState(model);
    let best = sum(before);
    for (let workload = 0; workload < model.workloads; workload++) {
      for (let node = 0; node < model.nodes; node++) {
        if (!before.mayShift(workload, node)) continue;
        const after = new SearchState(model);
        after.shift(workload, node);
        best = Math.min(best, sum(after));
      }
    }
    expect(sum(chosen)).to.be.closeTo(best, 1e-9);
  });
});

describe("with moves to spare", function () {
  // Seconds of CPU for some of these, and many more on a crowded machine.
  this.timeout(60_000);
  it("goes on to small improvements where the descent finds none", () => {
    let [descended, traded] = [0, 0];
    for (let seed = 1; seed <= 3; seed++) {
      const model = toModel(generateCluster(20, 300, seed));
      descended += costAfter(model, levelFleet(model, { ...OPTIONS, proposals: 0 }));
      traded += costAfter(model, levelFleet(model, { ...OPTIONS, proposals: 100_000 }));
    }
    expect(traded).to.be.lessThan(0.9 * descended);
  });
});
