import { expect } from "chai";
import fc from "fast-check";
import { Destinations } from "../../../policies/search/destinations.js";
import { Exchange } from "../../../policies/search/exchange.js";
import { Random } from "../../../policies/search/random.js";
import { SearchState } from "../../../policies/search/state.js";
import { plainCost, plainViolations } from "./plain-rules.js";
import { randomModel } from "./random-model.js";

const seeds = fc.integer({ min: 1, max: 1_000_000 });
const TRIES = 100;

describe("exchanges on random models", () => {
  it("keep every rule and every sum, cost no more than they may, and tell which workloads they moved", () => {
    let made = 0;
    fc.assert(
      fc.property(seeds, fc.constantFrom(0.1, 0.8), (seed, room) => {
        const model = randomModel(seed, { nodes: 5, workloads: 20, room, whole: true });
        const state = new SearchState(model);
        const random = new Random(seed);
        const exchange = new Exchange(state, random, new Destinations(state, random));
        for (let i = 0; i < TRIES; i++) {
          const before = state.assignment.slice();
          const cost = state.cost;
          const threshold = random.below(30);
          const count = exchange.propose(random.below(model.workloads), random.below(model.nodes), threshold);
          const told = Array.from({ length: count }, (_, m) => exchange.movedWorkload(m));
          expect(new Set(told)).to.deep.equal(new Set([...before.keys()].filter((w) => before[w] !== state.assignment[w])));
          if (count === 0) continue;
          made++;
          expect(state.cost - cost).to.be.at.most(threshold);
          expect(state.cost).to.equal(plainCost(model, state.assignment));
          expect([...plainViolations(model, state.assignment).keys()]).to.deep.equal([]);
        }
        const anew = new SearchState(model, state.assignment);
        expect([...state.slack]).to.deep.equal([...anew.slack]);
        expect([...state.excess]).to.deep.equal([...anew.excess]);
      }),
      { numRuns: 60 },
    );
    expect(made).to.be.greaterThan(100);
  });
});
