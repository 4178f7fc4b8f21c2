import { expect } from "chai";
import { detectOverload } from "../../../policies/overload/detect.js";
import type { NodePoint } from "../../../policies/types.js";

const bounds = { detectRatio: 0.8, fixRatio: 0.65, holdSeconds: 60, holeSeconds: 20 };

/** One point every ten seconds. */
function history(...ratios: (number | null)[]): NodePoint[] {
  return ratios.map((cpuRatio, index) => ({ at: 1000 + index * 10, cpuRatio, memoryRatio: cpuRatio }));
}
const times = (count: number, ratio: number) => Array.from({ length: count }, () => ratio);

describe("detecting overload", () => {
  const detect = (points: NodePoint[], smoothed: number) => detectOverload(points, "cpuRatio", smoothed, bounds);

  it("calls a node overloaded once it was above the bound for the hold time", () => {
    expect(detect(history(...times(7, 0.9)), 0.9)).to.equal("overloaded");
  });
  it("waits one point less than the hold time", () => {
    expect(detect(history(...times(6, 0.9)), 0.9)).to.equal("warming");
  });
  it("does not take a spike for load", () => {
    expect(detect(history(...times(20, 0.4), 0.99), 0.45)).to.equal("warming");
  });
  it("begins the hold time anew after a dip", () => {
    expect(detect(history(...times(5, 0.9), 0.7, ...times(5, 0.9)), 0.9)).to.equal("warming");
  });
  it("wants the smoothed reading to agree with the latest", () => {
    expect(detect(history(...times(7, 0.9)), 0.75)).to.equal("warming");
  });
  it("wants the latest reading to agree with the smoothed", () => {
    expect(detect(history(...times(10, 0.9), 0.5), 0.88)).to.equal("level");
  });
  it("is exactly at the bound still level", () => {
    expect(detect(history(...times(10, 0.8)), 0.8)).to.equal("level");
  });
  it("keeps relieving between the two bounds, until the lower one is reached", () => {
    expect(detect(history(...times(7, 0.9), 0.72), 0.75)).to.equal("overloaded");
    expect(detect(history(...times(7, 0.9), 0.72, 0.65), 0.7)).to.equal("level");
    expect(detect(history(...times(7, 0.9), 0.72, 0.6, 0.75), 0.75)).to.equal("level");
  });
  it("never begins between the two bounds", () => {
    expect(detect(history(...times(30, 0.75)), 0.75)).to.equal("level");
  });
  it("takes a failed reading for no proof", () => {
    expect(detect(history(...times(4, 0.9), null, ...times(4, 0.9)), 0.9)).to.equal("warming");
    expect(detect(history(...times(9, 0.9), null), 0.9)).to.equal("level");
  });
  it("takes a hole in the history for no proof", () => {
    const points: NodePoint[] = [
      { at: 1000, cpuRatio: 0.9, memoryRatio: 0.9 },
      { at: 1100, cpuRatio: 0.9, memoryRatio: 0.9 },
    ];
    expect(detect(points, 0.9)).to.equal("warming");
  });
  it("takes silence in which the node was unknown for a hole, though it is shorter than the hold time", () => {
    const points = [0, 55, 60].map((after) => ({ at: 1000 + after, cpuRatio: 0.95, memoryRatio: 0.95 }));
    expect(detect(points, 0.95)).to.equal("warming");
    expect(detectOverload(points, "cpuRatio", 0.95, { ...bounds, holeSeconds: 60 })).to.equal("overloaded");
  });
  it("does not take a collector's rhythm for a hole, though the hold time is as short", () => {
    expect(detectOverload(history(...times(3, 0.9)), "cpuRatio", 0.9, { ...bounds, holdSeconds: 9 })).to.equal("overloaded");
  });
  it("judges on one point when the hold time is nothing", () => {
    expect(detectOverload(history(0.9), "cpuRatio", 0.9, { ...bounds, holdSeconds: 0 })).to.equal("overloaded");
  });
});
