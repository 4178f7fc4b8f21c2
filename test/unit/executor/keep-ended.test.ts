import { expect } from "chai";
import { pino } from "pino";
import type { WorkloadDescription } from "../../../executor/engine/engine.js";
import { keepEnded } from "../../../executor/migration/keep-ended.js";
import { waitFor } from "../../support/wait-for.js";

const log = pino({ level: "silent" });
const workload = {} as WorkloadDescription;

describe("A workload whose copy counts", () => {
  it("is ended as often as somebody starts it, until it may run here again", async () => {
    let count = 0;
    const keeping = keepEnded({ end: async () => ++count > 0 }, workload, log);
    await keeping.first;
    expect(count).to.equal(1);
    await waitFor("it to be ended again", () => count >= 3);
    await keeping.close();
    const before = count;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(count).to.equal(before);
  });

  it("is ended although Docker could not be reached for a while", async () => {
    let count = 0;
    const keeping = keepEnded(
      {
        end: async () => {
          if (++count === 1) throw new Error("no Docker");
          return true;
        },
      },
      workload,
      log,
    );
    await keeping.first;
    expect(count).to.equal(2);
    await keeping.close();
  });

  it("is left alone once it has been removed", async () => {
    let count = 0;
    const keeping = keepEnded(
      {
        end: async () => {
          count++;
          return false;
        },
      },
      workload,
      log,
    );
    await keeping.first;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(count).to.equal(1);
    await keeping.close();
  });
});
