import { testPowerCuts } from "../support/power-cuts.js";

describe("A node that loses power in a move", function () {
  this.timeout(600_000);
  testPowerCuts("namespaces", "e2e-power-cut", null);
});
