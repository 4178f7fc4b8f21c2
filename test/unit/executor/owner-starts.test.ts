import { expect } from "chai";
import { makeOwnerStarts } from "../../../executor/engine/docker/owner-starts.js";

describe("the start of a container that others join", () => {
  it("is waited for, by those that came before it is so far and after it", async () => {
    const starts = makeOwnerStarts();
    let hasCome = false;
    const waiting = starts.wait("owner", "answered").then(() => {
      hasCome = true;
    });
    starts.reached("owner", "prepared");
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasCome).to.equal(false);
    starts.reached("owner", "answered");
    await waiting;
    await starts.wait("owner", "answered");
  });

  it("is not waited for any more once it has failed", async () => {
    const starts = makeOwnerStarts();
    const said = (error: Error) => error.message;
    const waiting = starts.wait("owner", "answered").catch(said);
    starts.failed("owner");
    expect(await waiting).to.match(/which it has joined, is not restored/);
    for (const moment of ["answered", "prepared"] as const)
      expect(await starts.wait("owner", moment).catch(said)).to.match(/is not restored/);
  });
});
