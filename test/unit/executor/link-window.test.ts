import { expect } from "chai";
import { makeLinkWindow } from "../../../executor/pages/link-window.js";

/** A link of that rate and delay, on which each answer queues behind what has been asked for. */
function settle(bytesPerSecond: number, delaySeconds: number): { bytes: number; queueSeconds: number } {
  const window = makeLinkWindow();
  let queueSeconds = 0;
  for (let answer = 0; answer < 5000; answer++) {
    queueSeconds = Math.max(0, window.bytes() / bytesPerSecond - delaySeconds);
    // Now and then the queue is empty.
    window.answered(delaySeconds + (answer % 500 === 0 ? 0 : queueSeconds));
  }
  return { bytes: window.bytes(), queueSeconds };
}

describe("The window of a link", () => {
  it("keeps a long link busy", () => {
    const { bytes } = settle(100e6, 0.04);
    expect(bytes).to.be.greaterThan(100e6 * 0.04);
  });

  it("keeps the queue of a slow link short", () => {
    const { bytes, queueSeconds } = settle(25e6, 0.001);
    expect(bytes).to.be.lessThan(600_000);
    expect(queueSeconds).to.be.lessThan(0.02);
  });

  it("never closes, and never grows without bound", () => {
    expect(settle(1e6, 0.001).bytes).to.be.greaterThan(200_000);
    expect(settle(1e11, 0.001).bytes).to.be.at.most(8 << 20);
  });
});
