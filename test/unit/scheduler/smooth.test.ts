import { expect } from "chai";
import { smoothRatio } from "../../../scheduler/fleet/smooth.js";

const points = (ratios: (number | null)[], everySeconds = 5) =>
  ratios.map((cpuRatio, index) => ({ at: index * everySeconds, cpuRatio, memoryRatio: null }));

describe("the smoothed reading", () => {
  it("is the reading itself when that never changes", () => {
    expect(smoothRatio(points([0.4, 0.4, 0.4]), "cpuRatio", 20)).to.be.closeTo(0.4, 1e-12);
  });

  it("follows a step by 1 - 1/e in one time constant", () => {
    expect(smoothRatio(points([0, 1, 1, 1, 1]), "cpuRatio", 20)).to.be.closeTo(1 - Math.exp(-1), 1e-12);
  });

  it("does not depend on how often is measured", () => {
    const often = smoothRatio(points([0, ...Array<number>(20).fill(1)], 1), "cpuRatio", 20);
    const seldom = smoothRatio(points([0, 1, 1], 10), "cpuRatio", 20);
    expect(often).to.be.closeTo(seldom!, 1e-12);
  });

  it("takes what is long past for nothing", () => {
    const steps = Array.from({ length: 30 }, (_, index) => (index % 3) / 3);
    expect(smoothRatio(points([...Array<number>(200).fill(1), ...steps], 20), "cpuRatio", 20)).to.be.closeTo(
      smoothRatio(points(steps, 20), "cpuRatio", 20)!,
      1e-9,
    );
  });

  it("leaves failed readings out, and is unknown when all failed", () => {
    expect(smoothRatio(points([0.4, null, 0.4]), "cpuRatio", 20)).to.be.closeTo(0.4, 1e-12);
    expect(smoothRatio(points([null, null]), "cpuRatio", 20)).to.equal(null);
    expect(smoothRatio([], "cpuRatio", 20)).to.equal(null);
  });
});
