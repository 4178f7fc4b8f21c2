import { expect } from "chai";
import { makePattern } from "../../../collector/daily-pattern.js";
import { PATTERN_SLOT_SECONDS, patternSlot } from "../../../collector/protocol.js";
import { makeSample } from "../../support/reported-fleet.js";

const DAY = 86_400;
const sampleAt = (at: number, cpuUsedCores: number | null) => ({ ...makeSample({ id: "n1", workloads: [] }, at), cpuUsedCores });

describe("a node's daily pattern", () => {
  const run = (from: number, to: number, cpuOf: (at: number) => number | null) => {
    const pattern = makePattern();
    const closed: (readonly [number, number | null, number | null])[] = [];
    for (let at = from; at <= to; at += 5) {
      const point = pattern.add(sampleAt(at, cpuOf(at)));
      if (point !== null) closed.push(point);
    }
    return closed;
  };

  it("is the mean of each half hour, dated in its middle", () => {
    const closed = run(DAY, DAY + 2 * PATTERN_SLOT_SECONDS, (at) => (at < DAY + PATTERN_SLOT_SECONDS ? 1 : 3));
    expect(closed.map(([at, cpu]) => [at, cpu])).to.deep.equal([
      [DAY + 900, 0.25],
      [DAY + 2700, 0.75],
    ]);
    expect(closed[0]![2]).to.be.greaterThan(0);
  });

  it("leaves out a half hour of which too little was seen, and readings that failed: unknown is not idle", () => {
    expect(run(DAY + 1200, DAY + PATTERN_SLOT_SECONDS, () => 1)).to.deep.equal([]);
    expect(run(DAY, DAY + PATTERN_SLOT_SECONDS, (at) => (at % 10 === 0 ? 2 : null))[0]![1]).to.equal(0.5);
    expect(run(DAY, DAY + PATTERN_SLOT_SECONDS, () => null)[0]![1]).to.equal(null);
  });

  it("counts the half hours of the day", () => {
    expect([0, 1799, 1800, DAY - 1, DAY, 3 * DAY + 3600].map(patternSlot)).to.deep.equal([0, 0, 1, 47, 0, 2]);
  });
});
