import { expect } from "chai";
import { DEFAULT_POLICY_CONFIG } from "../../../policies/config.js";
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

  for (const [value, named] of [
    [{ overlaod: {} }, "overlaod"],
    [{ overload: { cpuDetectRatio: 80 } }, "cpuDetectRatio"],
    [{ overload: { cpuDetectRatio: 0.5 } }, "cpuFixRatio"],
    [{ concurrency: { fleet: 0 } }, "fleet"],
  ] as const) {
    it(`is refused as a whole, naming ${named}, when it says ${JSON.stringify(value)}`, () => {
      expect(() => parsePolicyConfig(value)).to.throw(named);
    });
  }
});
