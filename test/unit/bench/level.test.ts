import { expect } from "chai";
import { countMovedAgain } from "../../../bench/level/count-moves.js";
import { bursty, DAY_SECONDS, diurnal, loadedWorkloads } from "../../../bench/level/load-shapes.js";

const everySecond = (seconds: number) => Array.from({ length: seconds }, (_, second) => second);
const move = (createdAt: number, closedAt: number, outcome: "committed" | "aborted" = "committed", workload = "w") => ({
  workload,
  createdAt,
  closedAt,
  outcome,
});

describe("the load of the levelling benchmark", () => {
  it("has one trough and one peak a day", () => {
    const shape = everySecond(DAY_SECONDS).map(diurnal(8, 38, 0));
    expect(shape[0]).to.equal(8);
    expect(shape[DAY_SECONDS / 2]).to.equal(38);
    expect(Math.max(...shape)).to.equal(38);
    expect(diurnal(8, 38, 0)(DAY_SECONDS)).to.equal(8);
  });

  it("bursts half of the time, at no regular time, the same at each run", () => {
    const shape = everySecond(600).map(bursty(6, 37, 7));
    expect(shape.filter((percent) => percent === 37)).to.have.length.within(270, 300);
    const begins = everySecond(600).filter((second) => second > 0 && shape[second] === 37 && shape[second - 1] === 6);
    const gaps = new Set(begins.slice(1).map((begin, index) => begin - begins[index]!));
    expect(gaps.size).to.be.greaterThan(1);
    expect(everySecond(600).map(bursty(6, 37, 7))).to.deep.equal(shape);
  });

  it("fits into the fleet at every moment, though not into the node where it begins", () => {
    const loaded = loadedWorkloads();
    const totals = everySecond(1800).map((second) => loaded.reduce((sum, { percentAt }) => sum + percentAt(second), 0));
    expect(Math.max(...totals)).to.be.lessThan(3 * 60);
    const first = everySecond(1800).map((second) =>
      loaded.filter(({ node }) => node === "node1").reduce((sum, { percentAt }) => sum + percentAt(second), 0),
    );
    expect(Math.max(...first)).to.be.greaterThan(60);
  });

  it("counts moves within the rest after the last committed one, and no others", () => {
    expect(countMovedAgain([move(0, 5), move(70, 75)], 60)).to.equal(0);
    expect(countMovedAgain([move(64, 70), move(0, 5)], 60)).to.equal(1);
    expect(countMovedAgain([move(0, 5, "aborted"), move(10, 15), move(10, 12, "committed", "other")], 60)).to.equal(0);
  });
});
