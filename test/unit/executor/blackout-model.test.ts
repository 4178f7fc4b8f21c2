import { expect } from "chai";
import { type BlackoutModel, FIRST_GUESS, learn } from "../../../executor/migration/blackout-model.js";

const MIB = 1 << 20;

describe("What moves have shown of their blackout", () => {
  it("comes to the fixed time and the rate that made them", () => {
    const truth: BlackoutModel = { fixedSeconds: 0.31, bytesPerSecond: 450e6 };
    let model = FIRST_GUESS;
    for (let round = 0; round < 60; round++) {
      for (const bytes of [MIB, 200 * MIB, 1000 * MIB]) model = learn(model, bytes, truth.fixedSeconds + bytes / truth.bytesPerSecond);
    }
    expect(model.fixedSeconds).to.be.closeTo(truth.fixedSeconds, 0.01);
    expect(model.bytesPerSecond / truth.bytesPerSecond).to.be.closeTo(1, 0.02);
  });

  it("is not thrown by a freeze that was shorter than the fixed time, or by one between little and much", () => {
    const model = learn({ fixedSeconds: 2, bytesPerSecond: 1e8 }, 100 * MIB, 1);
    expect(model.fixedSeconds).to.be.within(1, 2);
    expect(model.bytesPerSecond).to.equal(1e8);
    expect(learn(FIRST_GUESS, 16 * MIB, 0.7)).to.deep.equal(FIRST_GUESS);
  });
});
