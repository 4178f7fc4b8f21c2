import { expect } from "chai";
import { advanceMigration, claimMigration, createMigration } from "../../../platform/migration-record.js";
import type { Answers } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { containerIdOf } from "../../support/reported-fleet.js";
import type { RunningScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";
import { ScheduledFleet, stateOf } from "./scheduled-fleet.js";

describe("what a node ran that has fallen silent", () => {
  const here = new ScheduledFleet();
  const zoned = (id: string, zone: string, workloads: string[]) => {
    const labels = { "io.evenkeel.zone-spread": "web", "io.evenkeel.disruption-budget": "web/1" };
    return { id, labels: { "io.evenkeel.zone": zone }, workloads: workloads.map((name) => ({ name, labels })) };
  };
  const silence = async (scheduler: RunningScheduler, id: string) => {
    here.fleet.nodes.splice(here.fleet.nodes.indexOf(here.fleet.node(id)), 1);
    await waitFor(`${id} to be silent`, async () => {
      await here.redis.del(here.keys.nodeSample(id));
      return (await stateOf(scheduler, id))?.state === "unknown";
    });
  };
  const restart = async () => {
    await here.schedulers.pop()!.close();
    const scheduler = await here.start();
    await waitFor("it to lead", () => scheduler.term());
    return scheduler;
  };
  const refusalOf = async (scheduler: RunningScheduler, workload: string, to: string) =>
    (await scheduler.send("POST", `${API_BASE}/migrations`, { workload, to })).body.error?.facts["reason"];

  it("is in the lists as what it is, counts for its zone, and its drain says that nothing is known", async () => {
    await here.report([zoned("n1", "a", ["w1"]), zoned("n2", "b", ["w2"]), zoned("n3", "b", []), zoned("n4", "c", ["w4"])]);
    const scheduler = await here.start();
    await waitFor("n2 to be known", async () => (await stateOf(scheduler, "n2"))?.workloads === 1);
    await silence(scheduler, "n2");
    expect((await stateOf(scheduler, "n2"))?.workloads).to.equal(null);
    const { workloads } = await scheduler.get<Answers["workloads"]>(`${API_BASE}/workloads`);
    expect(workloads.find(({ name }) => name === "w2")).to.include({
      node: "n2",
      state: "silent",
      cpuUsedCores: null,
      memoryUsedBytes: null,
    });
    expect(await refusalOf(scheduler, "w1", "n3")).to.equal("zone-spread");
    expect(await refusalOf(scheduler, "w2", "n3")).to.equal("source-unknown");
    const { drain } = (await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, {})).body;
    expect([drain.state, ...drain.remaining.map(({ name }) => name)]).to.deep.equal(["unknown", "w2"]);
    await waitFor("its series", async () => (await scheduler.registry.metrics()).includes('evenkeel_node_maintenance{node="n2"} 1'));
    expect(await scheduler.registry.metrics()).to.not.match(/evenkeel_drain_remaining_workloads{node="n2"}/);
    // One that starts now has never seen what n2 runs.
    const later = await restart();
    expect((await stateOf(later, "n2"))?.workloads).to.equal(null);
    expect(await refusalOf(later, "w1", "n3")).to.equal("zone-spread");
  });

  it("still takes its part of its group's disruption budget while it is under way", async () => {
    await here.report([zoned("n1", "a", ["w1"]), zoned("n2", "b", ["w2"]), zoned("n3", "b", []), zoned("n4", "a", [])]);
    const scheduler = await here.start();
    await waitFor("n1 to be known", async () => (await stateOf(scheduler, "n1"))?.workloads === 1);
    const id = containerIdOf("w1");
    const move = {
      id: "m-1",
      workload: id,
      name: "w1",
      containerId: id,
      from: "n1",
      to: "n4",
      reason: "operator",
      because: "a test",
      mode: "auto",
    };
    const now = Date.now() / 1000;
    await createMigration(here.redis, here.keys, move, now, 0);
    const { epoch } = (await claimMigration(here.redis, here.keys, "m-1", now))!;
    await advanceMigration(here.redis, here.keys, now, { id: "m-1", epoch, stage: "freeze" });
    await silence(scheduler, "n1");
    await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, {});
    const skip = async (asked: RunningScheduler) => {
      const { plan } = await asked.get<Answers["plan"]>(`${API_BASE}/plan`);
      return plan !== null && plan.term === asked.term() && plan.skips.find(({ workload }) => workload === containerIdOf("w2"))?.reason;
    };
    expect(await waitFor("a skip", () => skip(scheduler))).to.equal("disruption-budget");
    const later = await restart();
    expect(await waitFor("a skip", () => skip(later)), "of which only the record tells").to.equal("disruption-budget");
  });
});
