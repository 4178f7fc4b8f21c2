import { expect } from "chai";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  createMigration,
  listMigrations,
} from "../../../platform/migration-record.js";
import type { Answers } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { containerIdOf } from "../../support/reported-fleet.js";
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
      // Delivered after the record was opened.
      await waitFor("its job", async () => (await here.jobsOn("n2")).length === 1);
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

  it("does not call a node drained by a sample from before the drain, which may lack what was started since, nor by one from before it was asked again", async () => {
    await here.report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [] },
    ]);
    const scheduler = await here.start();
    await waitFor("n2 to be known", async () => (await stateOf(scheduler, "n2"))?.cpuRatio != null);
    await here.fleet.stop();
    const ask = async () => (await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, {})).body.drain;
    const told = async () => {
      const { drain } = await scheduler.get<Answers["drain"]>(`${API_BASE}/drains/n2`);
      return [drain.state, (await stateOf(scheduler, "n2"))?.state];
    };
    const { state, since } = await ask();
    expect(state).to.equal("draining");
    await ticks(scheduler, 2);
    expect(await told()).to.deep.equal(["draining", "draining"]);
    // As dated by a clock that is a little ahead: it may be from before all the same.
    await here.fleet.push(since! + 2);
    await ticks(scheduler, 2);
    expect(await told()).to.deep.equal(["draining", "draining"]);
    await here.fleet.push(since! + 4);
    await waitFor("n2 to be drained", async () => (await told()).join() === "drained,drained");
    await ask();
    const flag = JSON.parse((await here.redis.hget(here.keys.maintenance, "n2"))!) as { since: number; askedAt: number };
    expect(flag.askedAt).to.be.above(flag.since);
    await here.redis.hset(here.keys.maintenance, "n2", JSON.stringify({ ...flag, askedAt: Date.now() / 1000 + 5 }));
    expect(await told(), "asked again").to.deep.equal(["draining", "draining"]);
  });

  it("knows what has just come to a node though no sample shows it and the scheduler has just been started", async () => {
    await here.report([
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [] },
    ]);
    await here.fleet.stop();
    const { redis, keys, fleet } = here;
    const id = containerIdOf("a");
    const now = Date.now() / 1000;
    const move = {
      id: "m-1",
      workload: id,
      name: "a",
      containerId: id,
      from: "n1",
      to: "n2",
      reason: "operator",
      because: "a test",
      mode: "auto",
    };
    await createMigration(redis, keys, move, now, 0);
    const record = (await claimMigration(redis, keys, "m-1", now))!;
    await advanceMigration(redis, keys, now, { id: "m-1", epoch: record.epoch, stage: "restore" });
    expect(await commitMigration(redis, keys, "m-1", record.epoch, now)).to.equal(true);
    await closeMigration(redis, keys, record, now, { result: "succeeded" });
    await redis.hset(keys.maintenance, "n2", JSON.stringify({ since: 1, reason: "disk" }));
    // n1 reports without it, n2 has not reported since.
    fleet.node("n1").workloads = [];
    const [n2] = fleet.nodes.splice(1, 1);
    await fleet.push(now + 5);
    const scheduler = await here.start();
    const drain = async () => (await scheduler.get<Answers["drain"]>(`${API_BASE}/drains/n2`)).drain;
    const { state, remaining } = await drain();
    expect([state, ...remaining.map(({ name, status }) => `${name} ${status}`)]).to.deep.equal(["draining", "a waiting"]);
    fleet.nodes.push(n2!);
    await fleet.push(now + 10);
    expect((await drain()).state).to.equal("drained");
  });

  it("says of what waits and of what moves, asked for or not, what the owner has let a move cost", async () => {
    const closing = { "io.evenkeel.connections": "close" };
    await here.report([
      { id: "n1", workloads: [] },
      {
        id: "n2",
        workloads: [
          { name: "large", memoryUsedBytes: 2 ** 30, labels: closing, networks: ["bridge"] },
          { name: "small", labels: { ...closing, "io.evenkeel.fallback": "cold" }, networks: ["bridge"] },
        ],
      },
    ]);
    const scheduler = await here.start({ policies: { concurrency: { perNode: 1 } } });
    await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, {});
    const closed = "Its connections over networks that end at n2 are closed.";
    const perhaps = "If CRIU refuses it, it is stopped and started again: its connections and memory are lost then.";
    const record = await waitFor("the move", async () => (await listMigrations(here.redis, here.keys))[0]);
    expect(record.name).to.equal("large");
    expect(record.because.endsWith(` ${closed}`), record.because).to.equal(true);
    const { drain } = await scheduler.get<Answers["drain"]>(`${API_BASE}/drains/n2`);
    expect(drain.remaining.find(({ name }) => name === "small")).to.include({
      status: "waiting",
      because: `waits for its turn. ${perhaps} ${closed}`,
    });
    const asked = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "small", to: "n1" });
    expect(asked.body.migration.because).to.equal(`An operator asked for it. ${perhaps} ${closed}`);
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
