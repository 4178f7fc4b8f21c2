import { expect } from "chai";
import { estimateLoad } from "../../../policies/estimate/node-load.js";
import { flatHistory, node } from "./small-fleet.js";

describe("estimating what a node uses", () => {
  it("gives a band from the smoothed reading to the latest", () => {
    const load = estimateLoad(node("n1", 0.5, 0.3, { history: flatHistory(0.9, 0.2) }));
    expect(load?.cpuCores.low).to.equal(4);
    expect(load?.cpuCores.high).to.be.closeTo(7.2, 1e-9);
    expect(load!.memoryBytes.low).to.be.lessThan(load!.memoryBytes.high);
  });
  it("knows nothing of a silent node", () => {
    expect(estimateLoad(node("n1", 0.5, 0.3, { state: "unknown" }))).to.equal(null);
  });
  it("knows nothing of a node whose last reading failed, and does not call it idle", () => {
    expect(estimateLoad(node("n1", 0.5, 0.3, { cpuUsedCores: null }))).to.equal(null);
    expect(estimateLoad(node("n1", 0.5, 0.3, { memoryUsedBytes: null }))).to.equal(null);
    expect(estimateLoad(node("n1", 0.5, 0.3, { history: flatHistory(null) }))).to.equal(null);
  });
  it("knows nothing of a node without capacity", () => {
    expect(estimateLoad(node("n1", 0.5, 0.3, { cpuCapacityCores: 0 }))).to.equal(null);
  });
  it("takes the smoothed reading where there is no history yet", () => {
    expect(estimateLoad(node("n1", 0.5, 0.3, { history: [] }))?.cpuCores).to.deep.equal({ low: 4, high: 4 });
  });
});
