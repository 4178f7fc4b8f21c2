import { expect } from "chai";
import { interquartileRange, localRegression, type OverloadDetector, staticThreshold } from "../../../bench/planetlab/baselines/detect.js";
import { heuristic } from "../../../bench/planetlab/baselines/heuristic.js";
import { engineConfig } from "../../../bench/planetlab/engine-config.js";
import { enginePolicy } from "../../../bench/planetlab/engine-policy.js";
import { simulate } from "../../../bench/planetlab/simulate.js";
import { readTraces, type Trace } from "../../../bench/planetlab/trace.js";

/** What CloudSim 4.0 itself prints for 20110303, traces sorted by name. */
const CLOUDSIM: readonly [string, OverloadDetector, { kWh: number; migrations: number; slatah: number; esv: number }][] = [
  ["THR-MMT-0.8", staticThreshold(0.8), { kWh: 192.62, migrations: 26_711, slatah: 0.0491, esv: 6.13e-3 }],
  ["IQR-MMT-1.5", interquartileRange(1.5), { kWh: 189.98, migrations: 26_282, slatah: 0.0482, esv: 5.72e-3 }],
  ["LR-MMT-1.2", localRegression(1.2), { kWh: 163.48, migrations: 27_859, slatah: 0.0586, esv: 7.59e-3 }],
];
const TOLERANCE = 0.03;

const directory = process.env["EVENKEEL_PLANETLAB_20110303"];
// The traces are not part of this repository.
const why = directory === undefined ? " (skipped: EVENKEEL_PLANETLAB_20110303 does not name the folder of its traces)" : "";

describe(`on the PlanetLab day 20110303${why}`, function () {
  this.timeout(600_000);
  let traces: Trace[];

  before(async function () {
    if (directory === undefined) return this.skip();
    traces = await readTraces(directory);
  });

  for (const [name, detector, figures] of CLOUDSIM) {
    it(`${name} scores what CloudSim says it does`, () => {
      const score = simulate(traces, heuristic(name, detector));
      for (const key of ["kWh", "migrations", "slatah", "esv"] as const) {
        expect(score[key] / figures[key], key).to.be.within(1 - TOLERANCE, 1 + TOLERANCE);
      }
    });
  }

  it("Evenkeel needs no more energy than LR-MMT, half the ESV of IQR-MMT and a fifth of its migrations", () => {
    const score = simulate(traces, enginePolicy("evenkeel", engineConfig("consolidate")));
    expect(score.kWh).to.be.at.most(163.48);
    expect(score.esv).to.be.at.most(5.72e-3 / 2);
    expect(score.migrations).to.be.at.most(26_282 / 5);
  });
});
