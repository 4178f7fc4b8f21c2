import { expect } from "chai";
import { dailyAt } from "../../../policies/estimate/daily.js";
import { expectAt, tellingPoints } from "../../../policies/estimate/expect.js";
import { percentileOf } from "../../../policies/estimate/percentile.js";
import { type Reading, readingsOf } from "../../../policies/estimate/series.js";
import { trendAt } from "../../../policies/estimate/trend.js";
import { meanSince } from "../../../policies/estimate/window-mean.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const series = (count: number, stepSeconds: number, valueAt: (at: number) => number): Reading[] =>
  Array.from({ length: count }, (_, index) => ({ at: index * stepSeconds, value: valueAt(index * stepSeconds) }));

describe("percentile", () => {
  it("lies between the two nearest values", () => {
    expect(percentileOf([4, 1, 3, 2], 0.5)).to.equal(2.5);
    expect(percentileOf([4, 1, 3, 2], 0)).to.equal(1);
    expect(percentileOf([4, 1, 3, 2], 1)).to.equal(4);
  });
  it("is not known for no values", () => {
    expect(percentileOf([], 0.5)).to.equal(null);
  });
});

describe("readings", () => {
  it("leave out what failed instead of taking it for nothing", () => {
    const history = [
      { at: 1, cpuRatio: 0.5, memoryRatio: null },
      { at: 2, cpuRatio: null, memoryRatio: 0.2 },
    ];
    expect(readingsOf(history, "cpuRatio")).to.deep.equal([{ at: 1, value: 0.5 }]);
    expect(meanSince(history, "memoryRatio", 0)).to.deep.equal({ mean: 0.2, spanSeconds: 0 });
    expect(meanSince(history, "memoryRatio", 3)).to.equal(null);
  });
});

describe("trend", () => {
  it("carries a straight line on without error", () => {
    const { value, error } = trendAt(
      series(20, 10, (at) => 0.1 + at / 1000),
      400,
    )!;
    expect(value).to.be.closeTo(0.5, 1e-9);
    expect(error).to.be.closeTo(0, 1e-9);
  });
  it("is less sure the further it looks", () => {
    const noisy = series(20, 10, (at) => 0.3 + (at % 20 === 0 ? 0.05 : -0.05));
    expect(trendAt(noisy, 1000)!.error).to.be.greaterThan(2 * trendAt(noisy, 200)!.error);
  });
  it("says nothing on a handful of readings, or on readings of one moment", () => {
    expect(
      trendAt(
        series(4, 10, () => 1),
        100,
      ),
    ).to.equal(null);
    expect(
      trendAt(
        series(9, 0, () => 1),
        100,
      ),
    ).to.equal(null);
  });
});

describe("daily pattern", () => {
  const wave = (at: number) => 0.5 + 0.3 * Math.sin((2 * Math.PI * at) / DAY);
  it("expects what earlier days showed at this time", () => {
    const threeDays = series(3 * 96, 900, wave);
    const { value, error } = dailyAt(threeDays, 3 * DAY + 6 * HOUR)!;
    expect(value).to.be.closeTo(0.8, 0.01);
    expect(error).to.be.closeTo(0, 1e-9);
  });
  it("is less sure where days differ", () => {
    const differing = series(3 * 96, 900, (at) => (at < DAY ? 0.2 : 0.6));
    expect(dailyAt(differing, 3 * DAY + 6 * HOUR)!.error).to.be.greaterThan(0.2);
  });
  it("counts no more than a week, however few days that leaves", () => {
    const at = 30 * DAY + 6 * HOUR;
    const daysAgo = (...days: number[]) => days.map((day) => ({ at: at - day * DAY, value: day > 7 ? 0.9 : 0.1 }));
    expect(dailyAt(daysAgo(20, 9, 8, 7, 1), at)!.value).to.be.closeTo(0.1, 1e-9);
    expect(dailyAt(daysAgo(20, 9, 8, 7), at)).to.equal(null);
  });
  it("wants two days at least", () => {
    expect(dailyAt(series(96, 900, wave), DAY + 6 * HOUR)).to.equal(null);
  });
});

describe("what is expected", () => {
  it("follows the day where the day is a better guide than the trend", () => {
    const days = series(3 * 96, 900, (at) => (at % DAY < 12 * HOUR ? 0.2 : 0.8));
    const forecast = expectAt(days, 3 * DAY + 6 * HOUR, 6 * HOUR)!;
    expect(forecast.method).to.equal("daily");
    expect(forecast.value).to.be.closeTo(0.2, 1e-9);
  });
  it("follows the trend while no day has passed", () => {
    expect(
      expectAt(
        series(30, 10, (at) => at / 1000),
        400,
        300,
      )!.method,
    ).to.equal("trend");
  });
  it("is the same when what tells nothing is left out", () => {
    const days = series(3 * 96, 900, (at) => 0.5 + Math.sin(at / 5000) / 3);
    const points = days.map(({ at, value }) => ({ at, cpuRatio: value, memoryRatio: null }));
    for (const [at, trendSeconds] of [
      [3 * DAY + HOUR, 2 * HOUR],
      [3 * DAY + 12 * HOUR, 5 * HOUR],
    ] as const) {
      const telling = tellingPoints(points, at, trendSeconds);
      expect(telling.length).to.be.lessThan(points.length);
      expect(expectAt(readingsOf(telling, "cpuRatio"), at, trendSeconds)).to.deep.equal(expectAt(days, at, trendSeconds));
    }
  });
  it("is not known for a short past", () => {
    expect(
      expectAt(
        series(2, 10, () => 1),
        400,
        300,
      ),
    ).to.equal(null);
  });
});
