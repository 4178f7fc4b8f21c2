import { expect } from "chai";
import { Observed } from "../../../lab/clients/observed.js";

/** A client that was answered every 0.05 s, 0.01 s after asking, from 100 to 101. */
function steady(): Observed {
  const observed = new Observed("w");
  observed.opened(100, 4000);
  for (let request = 0; request < 20; request++) {
    observed.asked(100 + request * 0.05);
    observed.answered(100 + request * 0.05 + 0.01, []);
  }
  return observed;
}

describe("What a client has observed", () => {
  it("counts answers, and says that the one connection was kept", () => {
    expect(steady().report(101)).to.include({
      requests: 20,
      wrongAnswers: 0,
      resets: 0,
      connectionKept: true,
      localPort: 4000,
      connectedAt: 100,
    });
  });

  it("has kept no connection before the first one is there", () => {
    expect(new Observed("w").report(100)).to.include({ connectionKept: false, connectedAt: null, requests: 0 });
  });

  it("keeps long gaps with their ends, and counts them only where they overlap", () => {
    const observed = steady();
    observed.asked(110);
    observed.answered(110.4, []);
    const { gaps } = observed.report(111);
    expect(gaps).to.have.length(1);
    expect(gaps[0]).to.include({ from: 110, to: 110.4 });
    expect(observed.gapsBetween(110.3, 112, 112).longestGapSeconds).to.be.closeTo(0.4, 1e-6);
    expect(observed.gapsBetween(110.5, 112, 112).longestGapSeconds).to.equal(0);
    expect(observed.gapsBetween(105, 109, 112).longestGapSeconds).to.equal(0);
  });

  it("knows the longest wait of an interval without a long gap", () => {
    expect(steady().gapsBetween(100, 101, 101).longestGapSeconds).to.be.closeTo(0.01, 1e-6);
  });

  it("counts a wait that is not over yet", () => {
    const observed = steady();
    observed.asked(101);
    expect(observed.gapsBetween(100.5, 102, 102.5).longestGapSeconds).to.equal(1.5);
    expect(observed.report(102.5)).to.include({ waitingSeconds: 1.5, longestGapSeconds: 1.5 });
    expect(observed.gapsBetween(99, 100.5, 102.5).longestGapSeconds).to.be.below(0.1);
  });

  it("takes the wait over a lost connection as one gap, up to the first answer on the next", () => {
    const observed = steady();
    observed.asked(101);
    observed.lost(101.2, "reset", true);
    observed.opened(101.5, 4001);
    observed.asked(101.6);
    observed.answered(102, []);
    expect(observed.report(103)).to.include({ resets: 1, connectionKept: false, localPort: 4001, longestGapSeconds: 1 });
    expect(observed.gapsBetween(101, 103, 103)).to.deep.equal({ longestGapSeconds: 1, connectionKept: false });
    expect(observed.gapsBetween(102.5, 103, 103).connectionKept).to.equal(true);
  });

  it("does not blame the other side for a connection it gave up itself", () => {
    const observed = steady();
    observed.wrong(["not HTTP"]);
    observed.lost(101, "not HTTP", false);
    expect(observed.report(102)).to.include({ resets: 0, wrongAnswers: 1, connectionKept: false });
  });

  it("describes the first wrong answers and counts all", () => {
    const observed = steady();
    for (let request = 0; request < 30; request++) observed.answered(101 + request, [`fault ${request}`, "and more"]);
    const report = observed.report(140);
    expect(report.wrongAnswers).to.equal(30);
    expect(report.firstWrongAnswers).to.have.length(5);
    expect(report.firstWrongAnswers[0]).to.equal("fault 0; and more");
  });
});
