import { expect } from "chai";
import { DEFAULT_POLICY_CONFIG } from "../../../policies/config.js";
import { HEALTH_SIGNS } from "../../../policies/types.js";
import { parsePolicyConfig } from "../../../scheduler/policy-config.js";

describe("the policies' configuration", () => {
  it("is the default when nothing is set", () => {
    expect(parsePolicyConfig({})).to.deep.equal(DEFAULT_POLICY_CONFIG);
  });

  it("keeps the defaults of whatever is left out", () => {
    expect(parsePolicyConfig({ overload: { holdSeconds: 5 } })).to.deep.equal({
      ...DEFAULT_POLICY_CONFIG,
      overload: { ...DEFAULT_POLICY_CONFIG.overload, holdSeconds: 5 },
    });
  });

  it("takes every sign that a collector may show, in either list", () => {
    const { health } = parsePolicyConfig({ health: { evacuateOn: [...HEALTH_SIGNS], cordonOn: [] } });
    expect(health).to.deep.include({ evacuateOn: [...HEALTH_SIGNS], cordonOn: [] });
  });

  for (const [value, named] of [
    [{ overlaod: {} }, "overlaod"],
    [{ overload: { cpuDetectRatio: 80 } }, "cpuDetectRatio"],
    [{ overload: { cpuDetectRatio: 0.5 } }, "cpuFixRatio"],
    [{ concurrency: { fleet: 0 } }, "fleet"],
    [{ health: { evacuateOn: ["disk_failing"] } }, "evacuateOn"],
    [{ health: { cordonOn: ["pressure-stall", "Peers-lost"] } }, "cordonOn"],
    [{ balance: { startRatio: 0.1, stopRatio: 0.2 } }, "stopRatio"],
    [{ fairness: { cooldownGrowth: 0 } }, "cooldownGrowth"],
  ] as const) {
    it(`is refused as a whole, naming ${named}, when it says ${JSON.stringify(value)}`, () => {
      expect(() => parsePolicyConfig(value)).to.throw(named);
    });
  }
});
