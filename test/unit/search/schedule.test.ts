import { expect } from "chai";
import { geometricTemperatures, Schedule } from "../../../policies/search/schedule.js";

const temperatures = geometricTemperatures(1000, 1, 31);
/** Share of the time spent between two temperatures. */
function shareBetween(schedule: Schedule, hot: number, cold: number): number {
  const samples = Array.from({ length: 1000 }, (_, i) => schedule.temperatureAt(i / 1000));
  return samples.filter((t) => t <= hot && t > cold).length / samples.length;
}

describe("the schedule of temperatures", () => {
  it("spends its time where moves that cost are still accepted", () => {
    const schedule = new Schedule(temperatures.map((t) => ({ temperature: t, uphillCost: t > 10 && t < 100 ? t : 0 })));
    expect(shareBetween(schedule, 100, 10)).to.be.above(0.9);
  });

  it("serves two scales of cost in one model", () => {
    const schedule = new Schedule(temperatures.map((t) => ({ temperature: t, uphillCost: t > 200 || t < 5 ? t : 0 })));
    expect(shareBetween(schedule, 1001, 200)).to.be.above(0.35);
    expect(shareBetween(schedule, 5, 0)).to.be.above(0.35);
  });

  it("leans to the hot end when it is told so, and still serves the cold one", () => {
    const readings = temperatures.map((t) => ({ temperature: t, uphillCost: t > 200 || t < 5 ? t : 0 }));
    expect(shareBetween(new Schedule(readings, 0.4), 1001, 200)).to.be.above(0.6);
    expect(shareBetween(new Schedule(readings, 0.4), 5, 0)).to.be.within(0.05, 0.2);
  });

  it("cools from the hottest to the coldest, never warming", () => {
    const schedule = new Schedule(temperatures.map((t) => ({ temperature: t, uphillCost: Math.sqrt(t) })));
    const seen = Array.from({ length: 101 }, (_, i) => schedule.temperatureAt(i / 100));
    expect(seen[0]).to.be.closeTo(1000, 1e-6);
    expect(seen[100]).to.be.closeTo(1, 1e-6);
    expect(seen.every((t, i) => i === 0 || t <= seen[i - 1]!)).to.equal(true);
  });

  it("gives a temperature its due however far apart the readings are", () => {
    const all = temperatures.map((t) => ({ temperature: t, uphillCost: t }));
    const some = new Schedule(all.filter((_, i) => i < 10 || i % 10 === 0));
    for (let progress = 0; progress <= 1; progress += 0.1)
      expect(some.temperatureAt(progress) / new Schedule(all).temperatureAt(progress)).to.be.closeTo(1, 1e-6);
  });

  it("spreads the time evenly when nothing is known", () => {
    const schedule = new Schedule(temperatures.map((t) => ({ temperature: t, uphillCost: 0 })));
    expect(schedule.temperatureAt(0.5)).to.be.closeTo(Math.sqrt(1000), 1);
  });
});
