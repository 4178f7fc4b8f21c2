import { expect } from "chai";
import { runEvery } from "../../../collector/run-every.js";

describe("running at an interval", () => {
  it("never runs twice at once, however long a run takes", async () => {
    const stopping = new AbortController();
    let running = 0;
    let most = 0;
    let runs = 0;
    await runEvery(
      0.001,
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        runs += 1;
        if (runs === 5) stopping.abort();
      },
      stopping.signal,
    );
    expect({ most, runs }).to.deep.equal({ most: 1, runs: 5 });
  });

  it("ends at once when aborted between two runs", async () => {
    const stopping = new AbortController();
    let runs = 0;
    const running = runEvery(
      3600,
      async () => {
        runs += 1;
        setImmediate(() => stopping.abort());
      },
      stopping.signal,
    );
    await running;
    expect(runs).to.equal(1);
  });
});
