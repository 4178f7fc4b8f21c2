import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { collectGarbage } from "../../../platform/collect-garbage.js";

describe("Garbage", () => {
  it("is collected when it is asked for", async () => {
    const litter = new WeakRef({ words: "nobody wants them" });
    // Until the turn is over it is kept for whoever made the reference.
    await delay(0);
    collectGarbage();
    expect(litter.deref()).to.equal(undefined);
  });
});
