import { expect } from "chai";
import { buildModel, type ModelSpec } from "../../../policies/search/build-model.js";
import { Destinations } from "../../../policies/search/destinations.js";
import { Exchange } from "../../../policies/search/exchange.js";
import { Random } from "../../../policies/search/random.js";
import { SearchState } from "../../../policies/search/state.js";

function setUp(spec: ModelSpec): { state: SearchState; exchange: Exchange; destinations: Destinations } {
  const state = new SearchState(buildModel(spec));
  const random = new Random(1);
  const destinations = new Destinations(state, random);
  return { state, exchange: new Exchange(state, random, destinations), destinations };
}

const resources = [{ softWeight: 1 }];

describe("an exchange", () => {
  it("gives a big workload the place of a whole set of small ones", () => {
    const { state, exchange } = setUp({
      resources,
      nodes: [
        { capacity: [8], softCapacity: [6] },
        { capacity: [8], softCapacity: [8] },
      ],
      workloads: [{ node: 0, requirement: [8] }, ...[3, 2, 1].map((r) => ({ node: 1, requirement: [r] }))],
    });
    expect(state.cost).to.equal(2);
    expect(exchange.propose(0, 1, 0)).to.equal(4);
    expect([...state.assignment]).to.deep.equal([1, 0, 0, 0]);
    expect(state.cost).to.equal(0);
  });

  it("sends to a third node what fits on neither of the two", () => {
    const { state, exchange } = setUp({
      resources,
      nodes: [
        { capacity: [5], softCapacity: [1] },
        { capacity: [8], softCapacity: [8] },
        { capacity: [6], softCapacity: [6] },
      ],
      workloads: [
        { node: 0, requirement: [5] },
        { node: 1, requirement: [1] },
        { node: 1, requirement: [6] },
      ],
    });
    expect(exchange.propose(0, 1, 0)).to.be.greaterThan(1);
    expect(state.assignment[0]).to.equal(1);
    expect(state.assignment[2]).to.equal(2);
    expect(state.cost).to.equal(0);
  });

  it("changes places with a workload of its own group that is in the way", () => {
    const { state, exchange } = setUp({
      resources,
      nodes: [
        { capacity: [5], softCapacity: [2] },
        { capacity: [5], softCapacity: [5] },
      ],
      groups: [{ distinct: true }],
      workloads: [
        { node: 0, requirement: [5], group: 0 },
        { node: 1, requirement: [2], group: 0 },
      ],
    });
    expect(exchange.propose(0, 1, 0)).to.equal(2);
    expect([...state.assignment]).to.deep.equal([1, 0]);
  });

  it("changes nothing when it would cost more than it may", () => {
    const { state, exchange } = setUp({
      resources,
      nodes: [
        { capacity: [9], softCapacity: [9] },
        { capacity: [9], softCapacity: [2] },
      ],
      workloads: [
        { node: 0, requirement: [6] },
        { node: 1, requirement: [2] },
      ],
    });
    const before = [...state.slack, ...state.excess, state.cost];
    expect(exchange.propose(0, 1, 3)).to.equal(0);
    expect([...state.slack, ...state.excess, state.cost]).to.deep.equal(before);
    expect([...state.assignment]).to.deep.equal([0, 1]);
  });
});

describe("the destinations of a workload", () => {
  it("are the nodes with room for it once all that may leave have left, its own node left out", () => {
    const { destinations } = setUp({
      resources: [{ transient: true }],
      nodes: [{ capacity: [9] }, { capacity: [9] }, { capacity: [4] }, { capacity: [9], closed: true }],
      workloads: [
        { node: 0, requirement: [5] },
        { node: 1, requirement: [5] },
        { node: 2, requirement: [1] },
      ],
    });
    // Natives hold what is transient at home: 4 of 9 are left there at most.
    expect(Array.from({ length: 20 }, () => destinations.draw(0))).to.deep.equal(Array.from({ length: 20 }, () => -1));
    expect(new Set(Array.from({ length: 50 }, () => destinations.draw(2)))).to.deep.equal(new Set([0, 1]));
  });
});
