import { expect } from "chai";
import fc from "fast-check";
import type { SearchModel } from "../../../policies/search/model.js";
import { solve } from "../../../policies/search/solve.js";
import { plainCost, plainViolations } from "./plain-rules.js";
import { randomModel } from "./random-model.js";

const seeds = fc.integer({ min: 1, max: 1_000_000 });
const sizes = fc.record({
  nodes: fc.integer({ min: 2, max: 7 }),
  workloads: fc.integer({ min: 1, max: 30 }),
  room: fc.constantFrom(0.1, 0.5, 1.5),
});
const STEPS = 20_000;

/** Whatever the start breaks, nothing may be broken further. */
function brokenFurther(model: SearchModel, assignment: Int32Array): string[] {
  const before = plainViolations(model, model.start);
  return [...plainViolations(model, assignment)].filter(([rule, by]) => by > (before.get(rule) ?? 0) + 1e-9).map(([rule]) => rule);
}

describe("the search, on random models", function () {
  this.timeout(60_000);

  it("never breaks a rule that the start keeps, is never worse than the start, and tells its true cost", () => {
    fc.assert(
      fc.property(seeds, sizes, (seed, size) => {
        const model = randomModel(seed, size);
        const found = solve(model, { seed, steps: STEPS });
        expect([...plainViolations(model, found.assignment).keys()]).to.deep.equal([]);
        expect(found.initialCost).to.be.closeTo(plainCost(model, model.start), 1e-6);
        expect(found.cost).to.be.closeTo(plainCost(model, found.assignment), 1e-6);
        expect(found.cost).to.be.at.most(found.initialCost);
      }),
      { numRuns: 150 },
    );
  });

  it("gives the same answer for the same seed and steps", () => {
    fc.assert(
      fc.property(seeds, sizes, (seed, size) => {
        const model = randomModel(seed, size);
        expect(solve(model, { seed, steps: STEPS })).to.deep.equal(solve(model, { seed, steps: STEPS }));
      }),
      { numRuns: 30 },
    );
  });

  it("moves no more workloads than it may", () => {
    fc.assert(
      fc.property(seeds, sizes, fc.integer({ min: 0, max: 4 }), (seed, size, maxMoves) => {
        const model = randomModel(seed, size);
        const { assignment } = solve(model, { seed, steps: STEPS, maxMoves });
        expect(assignment.filter((node, w) => node !== model.start[w]).length).to.be.at.most(maxMoves);
      }),
      { numRuns: 60 },
    );
  });

  it("starts from a fleet that breaks rules and breaks none of them further", () => {
    fc.assert(
      fc.property(seeds, sizes, (seed, size) => {
        const whole = randomModel(seed, size);
        const model = {
          ...whole,
          capacity: whole.capacity.map((c) => Math.floor(c * 0.8)),
          groupDistinct: whole.groupDistinct.map(() => 1),
          groupSpread: whole.groupSpread.map((s) => s + 1),
        };
        const found = solve(model, { seed, steps: STEPS });
        expect(brokenFurther(model, found.assignment)).to.deep.equal([]);
        expect(found.cost).to.be.at.most(found.initialCost);
      }),
      { numRuns: 100 },
    );
  });
});
