import { expect } from "chai";
import type { SearchModel } from "../../../policies/search/model.js";
import { solve } from "../../../policies/search/solve.js";
import { plainCost, plainViolations } from "../../property/search/plain-rules.js";
import { randomModel } from "../../property/search/random-model.js";

/** The least cost of all assignments that keep every rule, by looking at each of them. */
function provenOptimum(model: SearchModel): number {
  const assignment = new Int32Array(model.workloads);
  let least = Infinity;
  const choose = (workload: number): void => {
    if (workload === model.workloads) {
      const cost = plainCost(model, assignment);
      if (cost < least && plainViolations(model, assignment).size === 0) least = cost;
      return;
    }
    for (let node = 0; node < model.nodes; node++) {
      assignment[workload] = node;
      choose(workload + 1);
    }
  };
  choose(0);
  return least;
}

describe("the search, on models small enough to look at every assignment", function () {
  this.timeout(60_000);

  for (const room of [0.2, 1]) {
    for (let seed = 1; seed <= 12; seed++) {
      it(`finds the proven optimum of model ${seed} with ${room === 1 ? "much" : "little"} room`, () => {
        const model = randomModel(seed, { nodes: 3, workloads: 8, room, whole: true });
        expect(solve(model, { seed, steps: 150_000 }).cost).to.equal(provenOptimum(model));
      });
    }
  }
});
