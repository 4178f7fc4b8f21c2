import { expect } from "chai";
import { decide } from "../../../policies/decide.js";
import { config, draining, flatHistory, NOW, node, snapshot, workload } from "./small-fleet.js";

const verdictOf = (...args: Parameters<typeof snapshot>) => decide(snapshot(...args), config(), NOW).verdicts[0]!;

describe("verdicts", () => {
  it("say level with the numbers", () => {
    expect(verdictOf([node("n1", 0.4)])).to.deep.equal({ node: "n1", verdict: "level", because: "CPU 40.0 %, memory 30.0 %." });
  });
  it("say overloaded and by what", () => {
    expect(verdictOf([node("n1", 0.9)])).to.include({ verdict: "overloaded" });
    expect(verdictOf([node("n1", 0.2, 0.95)]).because).to.include("memory over 90.0 %");
  });
  it("say warming before the hold time is over", () => {
    expect(verdictOf([node("n1", 0.9, 0.3, { history: flatHistory(0.9, 0.3, NOW, 30) })])).to.include({ verdict: "warming" });
  });
  it("say warming while a move has just changed the node", () => {
    const left = workload("w1", "n2", 1, { lastMovedAt: NOW - 5, lastMovedFrom: "n1" });
    expect(verdictOf([node("n1", 0.9), node("n2", 0.1)], [left]).because).to.include("settling");
  });
  it("say unknown for a silent node, also under maintenance", () => {
    const { because, verdict } = verdictOf([{ ...draining("n1", 0.4), state: "unknown" }]);
    expect(verdict).to.equal("unknown");
    expect(because).to.include("under maintenance");
  });
  it("say draining while a workload is left, or a migration touches the node", () => {
    expect(verdictOf([draining("n1", 0.4)], [workload("w1", "n1", 1)])).to.include({ verdict: "draining" });
    expect(verdictOf([draining("n1", 0.4)], [], [{ id: "m1", workload: "w1", from: "n1", to: "n2" }])).to.include({ verdict: "draining" });
  });
  it("say drained only when nothing is left", () => {
    expect(verdictOf([draining("n1", 0.1)])).to.deep.equal({
      node: "n1",
      verdict: "drained",
      because: "Empty, under maintenance (new disks).",
    });
  });
  it("do not judge overload when that is switched off", () => {
    const plan = decide(
      snapshot([node("n1", 0.95), node("n2", 0.1)], [workload("w1", "n1", 3)]),
      config({ overload: { enabled: false } }),
      NOW,
    );
    expect(plan.verdicts[0]!.verdict).to.equal("level");
    expect(plan.moves).to.deep.equal([]);
  });
});
