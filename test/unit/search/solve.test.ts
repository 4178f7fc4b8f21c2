import { expect } from "chai";
import { buildModel, type ModelSpec } from "../../../policies/search/build-model.js";
import { Search } from "../../../policies/search/search.js";
import { solve } from "../../../policies/search/solve.js";
import { randomModel } from "../../property/search/random-model.js";

const STEPS = 100_000;
const place = (spec: ModelSpec, maxMoves?: number): number[] => [
  ...solve(buildModel(spec), { seed: 1, steps: STEPS, maxMoves }).assignment,
];
const onNode = (assignment: readonly number[], node: number): number => assignment.filter((n) => n === node).length;
const four = (node: number) => Array.from({ length: 4 }, () => ({ node, requirement: [1], moveCost: 0.01 }));

describe("what the search makes of a fleet", () => {
  it("levels two nodes whose targets say so", () => {
    const assignment = place({
      resources: [{}],
      nodes: [{ capacity: [8] }, { capacity: [8] }],
      workloads: four(0),
      levels: [{ resource: 0, target: 0.25, weight: 10 }],
    });
    expect(onNode(assignment, 1)).to.equal(2);
  });

  it("moves nothing when nothing gets better", () => {
    const spec = { resources: [{ softWeight: 1 }], nodes: [{ capacity: [8] }, { capacity: [8] }], workloads: four(0) };
    expect(place(spec)).to.deep.equal([0, 0, 0, 0]);
  });

  it("empties a closed node whose workloads cost", () => {
    const spec = { resources: [{}], nodes: [{ capacity: [8], closed: true, stayCost: 100 }, { capacity: [8] }], workloads: four(0) };
    expect(place(spec)).to.deep.equal([1, 1, 1, 1]);
    expect(onNode(place(spec, 2), 1)).to.equal(2);
  });

  it("leaves what may not move, and moves the pinned only to their nodes", () => {
    const assignment = place({
      resources: [{}],
      nodes: [{ capacity: [8], stayCost: 100 }, { capacity: [8] }, { capacity: [8] }],
      workloads: [
        { node: 0, requirement: [1], moveCost: Infinity },
        { node: 0, requirement: [1], pinnedTo: [2] },
      ],
    });
    expect(assignment).to.deep.equal([0, 2]);
  });

  it("counts a transient resource on both ends: two full nodes cannot exchange what they hold", () => {
    const swap = (transient: boolean): number[] =>
      place({
        resources: [{ softWeight: 1, transient }],
        nodes: [
          { capacity: [10], softCapacity: [0] },
          { capacity: [10], softCapacity: [10] },
        ],
        workloads: [
          { node: 0, requirement: [8] },
          { node: 1, requirement: [5] },
        ],
      });
    expect(swap(true)).to.deep.equal([0, 1]);
    expect(swap(false)).to.deep.equal([1, 0]);
  });

  it("stops when it is told to, with the start as its answer", () => {
    const model = buildModel({ resources: [{}], nodes: [{ capacity: [8], stayCost: 9 }, { capacity: [8] }], workloads: four(0) });
    const found = solve(model, { seed: 1, steps: STEPS, shouldStop: () => true });
    expect([...found.assignment]).to.deep.equal([0, 0, 0, 0]);
    expect(found.steps).to.equal(0);
  });

  it("lets the temperature fall in small steps within a short budget too", () => {
    const steps = 20_000;
    let [inSlices, inThousands] = [0, 0];
    for (let seed = 1; seed <= 10; seed++) {
      const model = randomModel(seed, { nodes: 12, workloads: 100, room: 0.2, whole: true });
      inSlices += solve(model, { seed, steps }).cost;
      const search = new Search(model, { seed });
      while (search.steps < steps) search.advance(search.steps / steps);
      inThousands += search.bestCost;
    }
    expect(inSlices).to.be.lessThan(inThousands);
  });

  it("goes by the progress it is told instead of by steps", () => {
    const model = buildModel({ resources: [{}], nodes: [{ capacity: [8], stayCost: 9 }, { capacity: [8] }], workloads: four(0) });
    let asked = 0;
    const found = solve(model, { seed: 1, progress: () => asked++ / 50 });
    expect(found.steps).to.equal(50_000);
    expect([...found.assignment]).to.deep.equal([1, 1, 1, 1]);
  });

  it("refuses a model whose indices point nowhere", () => {
    const spec = { resources: [{}], nodes: [{ capacity: [8] }], workloads: [{ node: 3, requirement: [1] }] };
    expect(() => buildModel(spec)).to.throw(RangeError, "node 3 is not in 0 … 0");
    const short = { resources: [{}, {}], nodes: [{ capacity: [8] }], workloads: [] };
    expect(() => buildModel(short)).to.throw(RangeError, "node 0 has 1 numbers for 2 resources");
  });
});
