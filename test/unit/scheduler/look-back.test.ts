import { expect } from "chai";
import { DEFAULT_POLICY_CONFIG as POLICIES } from "../../../policies/config.js";
import { detectOverload } from "../../../policies/overload/detect.js";
import { readingsNeeded } from "../../../scheduler/fleet/look-back.js";

const BOUNDS = { detectRatio: 0.8, fixRatio: 0.65, holdSeconds: 60, holeSeconds: 20 };

describe("How far the policies look back on a node", () => {
  /** As much as is read of a node that was hot for a hold time and then ebbed between the bounds for so long. */
  const heatAfter = (ebbSeconds: number) => {
    const ratios = [...Array<number>(13).fill(0.88), ...Array<number>(ebbSeconds / 5).fill(0.78)];
    const stream = ratios.map((cpuRatio, index) => ({ at: 1000 + index * 5, cpuRatio, memoryRatio: 0.3 }));
    return detectOverload(stream.slice(-readingsNeeded(POLICIES, { intervalSeconds: 5 })), "cpuRatio", 0.78, BOUNDS);
  };

  it("is far enough for an episode of overload that ebbs while a large workload leaves", () => {
    expect(heatAfter(110)).to.equal("overloaded");
    expect(heatAfter(1140)).to.equal("overloaded");
  });

  it("grows with the hold time and the window, and has an end", () => {
    const { overload, balance } = POLICIES;
    const needed = (holdSeconds: number, windowSeconds: number, enabled = true) =>
      readingsNeeded(
        { ...POLICIES, overload: { ...overload, holdSeconds }, balance: { ...balance, enabled, windowSeconds } },
        { intervalSeconds: 5 },
      );
    expect(needed(5, 300)).to.equal(250);
    expect(needed(100, 300)).to.equal(410);
    expect(needed(5, 3000)).to.equal(610);
    expect(needed(5, 3000, false)).to.equal(250);
    expect(needed(600, 300)).to.equal(720);
  });
});
