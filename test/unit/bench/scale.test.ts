import { expect } from "chai";
import { decisionLatencies } from "../../../bench/scale/decision-latency.js";
import { percentile } from "../../../bench/scale/percentile.js";
import { simulateFleet } from "../../../bench/scale/simulated-fleet.js";
import { nodeSampleSchema } from "../../../collector/protocol.js";

describe("the scale benchmark", () => {
  it("lets its nodes speak the collectors' wire format, with all workloads and names that differ", () => {
    const nodes = simulateFleet(7, 100);
    const samples = nodes.map((node) => nodeSampleSchema.parse(node.sample(1000, 1)));
    const ids = samples.flatMap(({ workloads }) => workloads.map(({ id }) => id));
    expect(new Set(ids).size).to.equal(100);
    expect(samples.map(({ node }) => node)).to.deep.equal(nodes.map(({ id }) => id));
    expect(nodes[0]!.sample(1000, 2)).not.to.deep.equal(samples[0]);
  });

  it("counts a sample as decided on only by a plan whose reading began after Redis had it", () => {
    const samples = [
      { at: 0, acknowledgedAt: 1 },
      { at: 3, acknowledgedAt: 6 },
      { at: 11, acknowledgedAt: 12 },
    ];
    const decisions = [
      { readAt: 10, publishedAt: 11 },
      { readAt: 5, publishedAt: 7 },
      { readAt: 0.5, publishedAt: 2 },
    ];
    expect(decisionLatencies(samples, decisions)).to.deep.equal([7, 8]);
  });

  it("takes percentiles by nearest rank", () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile([3], 0.99), percentile([], 0.5)]).to.deep.equal([
      100,
      198,
      3,
      null,
    ]);
  });
});
