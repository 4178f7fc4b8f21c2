import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { waitFor } from "../../support/wait-for.js";
import { expectKept } from "../support/expect-kept.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const PAIR = WORKLOADS.find(({ name }) => name === "pair")!;
const SEED = { ...PAIR, name: "seed", address: "10.77.0.156", macAddress: "02:45:4b:00:00:9c" };
/** Under way nearly all the time. */
const CHECK = { Test: ["CMD", "python3", "-S", "-c", "import time; time.sleep(0.5)"], Interval: 1e8, Timeout: 5e9, Retries: 3 };

describe("A workload whose health Docker checks all the time", function () {
  this.timeout(600_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-checked", [SEED], {
      asked: [PAIR],
      beside: async ({ lab }) => {
        const created = await lab.node(FIRST).docker.createContainer({ ...toContainerCreateOptions(PAIR), Healthcheck: CHECK } as never);
        await created.start();
      },
    });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  it("moves whether or not a check is under way, and is checked again where it is", async () => {
    let [at, to] = [FIRST, SECOND];
    for (let move = 0; move < 8; move++) {
      await moving.moveWell(PAIR.name, at, to);
      await settledOn(moving.fleet, PAIR.name, to);
      expectKept(await moving.answersOn(PAIR.name));
      await waitFor("Docker to find it healthy", async () => {
        const { State } = await moving.fleet.lab.node(to).docker.getContainer(PAIR.name).inspect();
        return State.Health?.Status === "healthy";
      });
      // Each move begins at another point between two checks.
      await delay(move * 250);
      [at, to] = [to, at];
    }
  });
});
