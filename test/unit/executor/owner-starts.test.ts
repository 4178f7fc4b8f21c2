import { expect } from "chai";
import { makeOwnerStarts } from "../../../executor/engine/docker/owner-starts.js";

describe("the start of a container whose network others join", () => {
  it("is waited for, by those that came before its answer and after it", async () => {
    const starts = makeOwnerStarts();
    let hasCome = false;
    const waiting = starts.wait("owner").then(() => {
      hasCome = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasCome).to.equal(false);
    starts.answered("owner");
    await waiting;
    await starts.wait("owner");
  });

  it("is not waited for any more once it has failed", async () => {
    const starts = makeOwnerStarts();
    const waiting = starts.wait("owner").catch((error: Error) => error.message);
    starts.failed("owner");
    expect(await waiting).to.match(/whose network it has joined, is not restored/);
    expect(await starts.wait("owner").catch((error: Error) => error.message)).to.match(/is not restored/);
  });
});
