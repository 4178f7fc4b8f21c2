import { expect } from "chai";
import type { StatusAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import type { RunningScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";
import { ScheduledFleet, stateOf, ticks } from "./scheduled-fleet.js";

describe("a flag without a date of its own", () => {
  const here = new ScheduledFleet();
  const dates = () => here.redis.hgetall(here.keys.flagDates);
  const sinceOf = async (scheduler: RunningScheduler) => {
    const { pause } = await scheduler.get<StatusAnswer>(`${API_BASE}/status`);
    const [n1, n2] = [await stateOf(scheduler, "n1"), await stateOf(scheduler, "n2")];
    return [pause?.since, n1?.maintenance[0]?.since, n1?.cordon[0]?.since, n2?.maintenance[0]?.since];
  };

  it("is as old after a restart as it was before, and what stands no more is forgotten", async () => {
    await here.report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [], maintenanceFile: "fans" },
    ]);
    await here.redis.hset(here.keys.maintenance, "n1", "disk");
    await here.redis.hset(here.keys.cordons, "n1", "smell");
    await here.redis.set(here.keys.pause, "the books are closed");
    const first = await here.start();
    await waitFor("all dates", async () => Object.keys(await dates()).length === 4);
    const before = await sinceOf(first);
    expect(before).to.not.include(undefined);
    await here.schedulers.pop()!.close();
    const second = await here.start();
    await waitFor("it to lead", () => second.term());
    await ticks(second, 2);
    expect(await sinceOf(second)).to.deep.equal(before);
    await here.redis.del(here.keys.maintenance, here.keys.cordons, here.keys.pause);
    await waitFor("three to be forgotten", async () => Object.keys(await dates()).length === 1);
    expect(Object.keys(await dates())[0]).to.match(/^n2 file fans/);
  });

  it("keeps its date while its node is silent, which may have the file still", async () => {
    await here.report([{ id: "n1", workloads: [], maintenanceFile: "fans" }]);
    const scheduler = await here.start();
    await waitFor("its date", async () => Object.keys(await dates()).length === 1);
    const before = await dates();
    await here.fleet.stop();
    await here.redis.del(here.keys.nodeSample("n1"));
    await waitFor("n1 to be silent", async () => (await stateOf(scheduler, "n1"))?.state === "unknown");
    await ticks(scheduler, 2);
    expect(await dates()).to.deep.equal(before);
    await here.redis.zrem(here.keys.nodes, "n1");
    await waitFor("it to be forgotten with its node", async () => Object.keys(await dates()).length === 0);
  });
});
