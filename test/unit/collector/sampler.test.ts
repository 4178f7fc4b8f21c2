import { expect } from "chai";
import { makeSampler } from "../../../collector/sampler.js";
import { nowSeconds } from "../../../platform/clock.js";
import { fixturePath } from "./fixtures.js";

describe("taking samples", () => {
  it("dates a sample before its list of containers, so that what had been started by then is in it", async () => {
    let listedAt = 0;
    const current = async () => {
      const asked = nowSeconds();
      while (nowSeconds() === asked) await Promise.resolve();
      listedAt = asked;
      return { known: true, containers: [], endedNames: [] } as const;
    };
    const take = makeSampler({
      node: "n1",
      maintenanceFile: "/nonexistent",
      cordonFile: "/nonexistent",
      containers: { current, renew: () => {} },
      root: fixturePath("plain-host"),
    });
    await take();
    const { sample } = await take();
    expect(sample!.at).to.be.at.most(listedAt);
  });
});
