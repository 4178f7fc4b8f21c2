import { expect } from "chai";
import { listMigrations } from "../../../platform/migration-record.js";
import type { Answers } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import type { RunningScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";
import { ScheduledFleet, stateOf, ticks } from "./scheduled-fleet.js";

describe("the scheduler, when a node is to be emptied", () => {
  const here = new ScheduledFleet();

  for (const [how, flag] of [
    ["the API", (scheduler: RunningScheduler) => scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, { reason: "disk" })],
    ["redis-cli", () => here.redis.hset(here.keys.maintenance, "n2", "disk")],
    [
      "a file on the node",
      () => {
        here.fleet.node("n2").maintenanceFile = "disk";
      },
    ],
  ] as const) {
    it(`empties a node flagged by ${how}, in any mode`, async () => {
      await here.report([
        { id: "n1", workloads: [] },
        { id: "n2", workloads: [{ name: "a" }] },
      ]);
      const scheduler = await here.start({ scheduler: { mode: "observe" } });
      await flag(scheduler);
      const record = await waitFor("the move", async () => (await listMigrations(here.redis, here.keys))[0]);
      expect(record).to.include({ name: "a", from: "n2", to: "n1", reason: "maintenance" });
      expect(await here.jobsOn("n2")).to.have.length(1);
      const node = await stateOf(scheduler, "n2");
      expect(node?.state).to.equal("draining");
      expect(node?.maintenance.map(({ reason }) => reason)).to.deep.equal(["disk"]);
    });
  }

  it("empties a node while a maintenance window for it is open", async () => {
    await here.report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [{ name: "a" }] },
    ]);
    const windows = [{ cron: "* * * * *", timeZone: "Europe/Berlin", durationMinutes: 5, action: "maintenance", node: "n2" }];
    await here.start({ scheduler: { windows } });
    const record = await waitFor("the move", async () => (await listMigrations(here.redis, here.keys))[0]);
    expect(record).to.include({ from: "n2", to: "n1", reason: "maintenance" });
  });

  it("moves on what it can though one that moves as one with others may not go, and says of those which one it is", async () => {
    const shop = (more: Record<string, string> = {}) => ({ "io.evenkeel.group": "shop", ...more });
    const front = { name: "front", memoryUsedBytes: 2 ** 30, labels: shop() };
    const back = { name: "back", labels: shop({ "io.evenkeel.mode": "never" }) };
    await here.report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [front, back, { name: "other" }] },
    ]);
    const scheduler = await here.start();
    await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, {});
    const record = await waitFor("the move", async () => (await listMigrations(here.redis, here.keys))[0]);
    expect(record.name).to.equal("other");
    const { drain } = await scheduler.get<Answers["drain"]>(`${API_BASE}/drains/n2`);
    const said = new Map(drain.remaining.map(({ name, status, because }) => [name, `${status}: ${because}`]));
    expect(said.get("front")).to.match(/^blocked: It moves as one with back, of which holds: its label io\.evenkeel\.mode forbids moves/);
    expect(said.get("other")).to.match(/^moving: /);
  });

  it("calls a node drained only when its own sample shows it empty and no migration touches it", async () => {
    await here.report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [{ name: "a" }] },
    ]);
    const scheduler = await here.start();
    await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, {});
    const drain = async () =>
      (await scheduler.get<{ drain: { state: string; remaining: { status: string }[] } }>(`${API_BASE}/drains/n2`)).drain;
    const record = await waitFor("the move", async () => (await listMigrations(here.redis, here.keys))[0]);
    expect((await drain()).remaining.map(({ status }) => status)).to.deep.equal(["moving"]);
    here.fleet.node("n1").workloads = here.fleet.node("n2").workloads;
    here.fleet.node("n2").workloads = [];
    await ticks(scheduler, 2);
    expect((await drain()).state).to.equal("draining");
    await here.redis.hset(here.keys.migration(record.id), { closedAt: 1, outcome: "committed", result: "succeeded" });
    await here.redis.multi().srem(here.keys.openMigrations, record.id).zadd(here.keys.closedMigrations, 1, record.id).exec();
    await waitFor("drained", async () => (await drain()).state === "drained");
    await here.redis.del(here.keys.nodeSample("n2"));
    await here.fleet.stop();
    await here.redis.del(here.keys.nodeSample("n2"));
    expect((await drain()).state).to.equal("unknown");
  });
});
