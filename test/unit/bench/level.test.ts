import { expect } from "chai";
import { countMovedAgain } from "../../../bench/level/count-moves.js";
import { bursty, DAY_SECONDS, diurnal, LEVEL_NODES, LEVEL_POLICIES, loadedWorkloads } from "../../../bench/level/load-shapes.js";
import { makeOverloadMeter } from "../../../bench/level/overload-meter.js";

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

  it("is too much where it begins, and not with each busy workload on a node of its own", () => {
    const loaded = loadedWorkloads();
    const peakOf = (some: typeof loaded) =>
      Math.max(...everySecond(1800).map((second) => some.reduce((sum, { percentAt }) => sum + percentAt(second), 0)));
    const boundPercent = LEVEL_POLICIES.overload.cpuDetectRatio * 100;
    for (const node of ["node1", "node2"]) expect(peakOf(loaded.filter((load) => load.node === node))).to.be.greaterThan(boundPercent);
    const busy = loaded.filter((load) => load.node === "node1" || load.node === "node2");
    expect(busy).to.have.length(LEVEL_NODES.length);
    const small = loaded.filter((load) => !busy.includes(load));
    for (const load of busy) expect(peakOf([load, ...small.slice(0, 1)])).to.be.lessThan(boundPercent);
  });

  it("counts the time above the bound by node and by day, and not what no sample covers", () => {
    const meter = makeOverloadMeter(0.5, 1000, 10);
    for (const [at, ratio] of [
      [1001, 0.9],
      [1003, 0.9],
      [1004, 0.4],
      [1004, 0.9],
      [1012, 0.9],
      [1014, 0.9],
    ] as const) {
      meter.add("a", at, ratio);
    }
    meter.add("b", 1010, 0.6);
    meter.add("b", 1011, 0.6);
    const { overloadSeconds, overloadSecondsByNode, overloadSecondsByDay } = meter.read();
    expect(overloadSeconds).to.equal(5);
    expect(overloadSecondsByNode).to.deep.equal({ a: 4, b: 1 });
    expect(overloadSecondsByDay).to.deep.equal([2, 3]);
  });

  it("counts moves within the rest after the last committed one, and no others", () => {
    expect(countMovedAgain([move(0, 5), move(70, 75)], 60)).to.equal(0);
    expect(countMovedAgain([move(64, 70), move(0, 5)], 60)).to.equal(1);
    expect(countMovedAgain([move(0, 5, "aborted"), move(10, 15), move(10, 12, "committed", "other")], 60)).to.equal(0);
  });
});
