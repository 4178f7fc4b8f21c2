import { expect } from "chai";
import { imbalance } from "../../../policies/imbalance.js";
import { node, snapshot } from "./small-fleet.js";

describe("imbalance", () => {
  it("is the population standard deviation of the CPU ratios", () => {
    expect(imbalance(snapshot([node("n1", 0.2), node("n2", 0.6)]))).to.be.closeTo(0.2, 1e-12);
  });
  it("leaves out what is not known, instead of taking it for idle", () => {
    const silent = node("n3", 0, 0, { state: "unknown" });
    const failed = node("n4", 0, 0, { cpuUsedCores: null });
    expect(imbalance(snapshot([node("n1", 0.2), node("n2", 0.6), silent, failed]))).to.be.closeTo(0.2, 1e-12);
  });
  it("is null when no node is known", () => {
    expect(imbalance(snapshot([]))).to.equal(null);
    expect(imbalance(snapshot([node("n1", 0.5, 0.3, { state: "unknown" })]))).to.equal(null);
  });
});
