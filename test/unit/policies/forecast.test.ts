import { expect } from "chai";
import { type ForecastConfig, forecastLoad } from "../../../policies/forecast/load-forecast.js";

const CONFIG: ForecastConfig = { halfLifeSamples: 2, priorDeviationRatio: 0.1, priorSamples: 4 };

describe("a load forecast", () => {
  it("expects the limit while nothing is known: unknown is never idle", () => {
    expect(forecastLoad([], 8, CONFIG)).to.deep.equal({ mean: 8, deviation: 0 });
  });

  it("follows the newest samples more than the old ones", () => {
    expect(forecastLoad([4, 0], 8, CONFIG).mean).to.be.greaterThan(2);
    expect(forecastLoad([0, 4], 8, CONFIG).mean).to.be.lessThan(2);
  });

  it("takes a workload seen once to be as unsteady as its limit allows", () => {
    const { deviation } = forecastLoad([4], 8, CONFIG);
    expect(deviation).to.be.closeTo(0.8 * Math.sqrt(4 / 5), 1e-12);
  });

  it("trusts a workload that has been steady for long", () => {
    const few = forecastLoad([4, 4], 8, CONFIG).deviation;
    const many = forecastLoad(
      Array.from({ length: 30 }, () => 4),
      8,
      { ...CONFIG, halfLifeSamples: 20 },
    ).deviation;
    expect(many).to.be.lessThan(few / 2);
  });

  it("sees a spread that is there", () => {
    const swinging = Array.from({ length: 30 }, (_, i) => (i % 2 ? 0 : 8));
    expect(forecastLoad(swinging, 8, { ...CONFIG, halfLifeSamples: 20 }).deviation).to.be.greaterThan(3);
  });
});
