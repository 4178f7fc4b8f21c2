import { expect } from "chai";
import fc from "fast-check";
import { Random } from "../../../policies/search/random.js";
import { SearchState } from "../../../policies/search/state.js";
import { plainCost, plainViolations } from "./plain-rules.js";
import { randomModel } from "./random-model.js";

const seeds = fc.integer({ min: 1, max: 1_000_000 });
const SIZE = { nodes: 6, workloads: 25, room: 0.8, whole: true };
const MOVES = 200;

describe("the state of the search, move by move", () => {
  it("changes its cost by exactly what a full recount gives, for shifts and for swaps", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const model = randomModel(seed, SIZE);
        const state = new SearchState(model);
        const random = new Random(seed);
        for (let i = 0; i < MOVES; i++) {
          const workload = random.below(model.workloads);
          const other = random.below(model.workloads);
          const node = random.below(model.nodes);
          const swaps = random.below(2) === 0;
          if (swaps ? !state.maySwap(workload, other) : !state.mayShift(workload, node)) continue;
          const before = plainCost(model, state.assignment);
          const foretold = swaps ? state.swapDelta(workload, other) : state.shiftDelta(workload, node);
          const done = swaps ? state.swap(workload, other) : state.shift(workload, node);
          const after = plainCost(model, state.assignment);
          expect([foretold, done, state.cost]).to.deep.equal([after - before, after - before, after]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("allows a shift only when every rule holds after it, and refuses none that would hold", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const model = randomModel(seed, SIZE);
        const state = new SearchState(model);
        const random = new Random(seed);
        for (let i = 0; i < MOVES; i++) {
          const workload = random.below(model.workloads);
          const node = random.below(model.nodes);
          if (state.assignment[workload] === node) continue;
          const tried = state.assignment.slice();
          tried[workload] = node;
          expect(state.mayShift(workload, node)).to.equal(plainViolations(model, tried).size === 0);
          if (state.mayShift(workload, node)) state.shift(workload, node);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("keeps the same sums as a state made anew from its assignment", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const model = randomModel(seed, SIZE);
        const state = new SearchState(model);
        const random = new Random(seed);
        for (let i = 0; i < MOVES; i++) {
          const workload = random.below(model.workloads);
          const node = random.below(model.nodes);
          if (state.mayShift(workload, node)) state.shift(workload, node);
        }
        const anew = new SearchState(model, state.assignment);
        expect([...state.slack]).to.deep.equal([...anew.slack]);
        expect([...state.excess]).to.deep.equal([...anew.excess]);
        expect(state.moves.moved).to.equal(anew.moves.moved);
        expect(state.cost).to.equal(anew.cost);
      }),
      { numRuns: 40 },
    );
  });
});
