import { expect } from "chai";
import { type ForecastConfig, forecastLoad, learnLoad } from "../../../policies/forecast/load-forecast.js";
import type { LoadPast } from "../../../policies/types.js";

const CONFIG: ForecastConfig = { halfLifeSeconds: 600, priorDeviationRatio: 0.1, priorSeconds: 1200 };
const LIMIT = 8;

/** One reading every five minutes, oldest first. */
function learned(readings: readonly number[], config = CONFIG, everySeconds = 300): LoadPast {
  return readings.reduce<LoadPast | null>((past, cores, index) => learnLoad(past, cores, index * everySeconds, config), null)!;
}

function expected(readings: readonly number[], config = CONFIG) {
  return forecastLoad(learned(readings, config), readings.at(-1)!, LIMIT, config);
}

describe("a load forecast", () => {
  it("takes a workload of which nothing is remembered to be as unsteady as its limit allows", () => {
    expect(forecastLoad(null, 3, LIMIT, CONFIG)).to.deep.equal({ mean: 3, deviation: 0.1 * LIMIT });
    expect(expected([3])).to.deep.equal({ mean: 3, deviation: 0.1 * LIMIT });
  });

  it("follows the newest readings more than the old ones", () => {
    expect(expected([0, 0, 4]).mean).to.be.lessThan(3);
    expect(expected([0, 0, 4]).mean).to.be.greaterThan(expected([0, 4, 0]).mean);
  });

  it("trusts a workload that has been steady for long", () => {
    const patient = { ...CONFIG, halfLifeSeconds: 6000 };
    const steady = (count: number) =>
      expected(
        Array.from({ length: count }, () => 4),
        patient,
      ).deviation;
    expect(steady(30)).to.be.lessThan(steady(1) / 2);
  });

  it("sees a spread that is there", () => {
    const swinging = Array.from({ length: 60 }, (_, i) => (i % 2 ? 0 : 8));
    const { mean, deviation } = expected(swinging, { ...CONFIG, halfLifeSeconds: 60_000, priorSeconds: 0 });
    expect(mean).to.be.closeTo(4, 0.3);
    expect(deviation).to.be.closeTo(4, 0.1);
  });

  it("says the same however often the same is read", () => {
    const flat = (everySeconds: number) =>
      learned(
        Array.from({ length: 6000 / everySeconds + 1 }, (_, i) => (i * everySeconds < 3000 ? 2 : 6)),
        CONFIG,
        everySeconds,
      );
    expect(flat(5).mean).to.be.closeTo(flat(60).mean, 0.1);
    expect(flat(5).seconds).to.be.closeTo(flat(60).seconds, 40);
  });

  it("learns nothing from a reading that is not newer, and little from one after a long silence", () => {
    const past = learned([1, 1, 1]);
    expect(learnLoad(past, 7, past.at, CONFIG)).to.equal(past);
    expect(learnLoad(past, 7, past.at - 60, CONFIG)).to.equal(past);
    expect(learnLoad(past, 7, past.at + 86_400, CONFIG).seconds).to.be.at.most(301);
  });
});
