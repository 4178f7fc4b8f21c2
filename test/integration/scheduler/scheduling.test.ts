import { expect } from "chai";
import { listMigrations } from "../../../platform/migration-record.js";
import type { StatusAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { waitFor } from "../../support/wait-for.js";
import { hot, ScheduledFleet, stateOf, ticks } from "./scheduled-fleet.js";

describe("the scheduler", () => {
  const here = new ScheduledFleet();

  it("cools a hot node in mode auto: one job on its own queue, once, though ticks repeat", async () => {
    await here.report(hot());
    const scheduler = await here.start({ scheduler: { mode: "auto" } });
    const jobs = await waitFor("a job", async () => {
      const found = await here.jobsOn("n1");
      return found.length > 0 && found;
    });
    await ticks(scheduler, 5);
    const records = await listMigrations(here.redis, here.keys);
    expect(records).to.have.length(1);
    expect(records[0]).to.include({ from: "n1", reason: "overload", stage: "queued", outcome: "pending" });
    expect((await here.jobsOn("n1")).map(({ id, data }) => [id, data])).to.deep.equal([[records[0]!.id, { migrationId: records[0]!.id }]]);
    expect(jobs).to.have.length(1);
    expect(await here.jobsOn("n2")).to.have.length(0);
    expect((await stateOf(scheduler, "n1"))?.state).to.equal("overloaded");
  });

  it("only plans in mode observe, and says so", async () => {
    await here.report(hot());
    const scheduler = await here.start({ scheduler: { mode: "observe" } });
    const plan = await waitFor("a planned move", async () => {
      const answer = await scheduler.get<{ plan: { moves: { heldBack: string | null }[] } | null }>(`${API_BASE}/plan`);
      return (answer.plan?.moves.length ?? 0) > 0 && answer.plan;
    });
    await ticks(scheduler, 3);
    expect(plan.moves[0]?.heldBack).to.contain("observe");
    expect(await listMigrations(here.redis, here.keys)).to.deep.equal([]);
  });

  it("drains in mode observe past a hot node whose relief is only shown and would take the same place", async () => {
    await here.report(hot());
    const scheduler = await here.start({ scheduler: { mode: "observe" }, policies: { overload: { holdSeconds: 2, settleSeconds: 0 } } });
    await waitFor("n1 to be hot", async () => (await stateOf(scheduler, "n1"))?.state === "overloaded");
    await here.redis.hset(here.keys.maintenance, "n2", "new disk");
    const records = await waitFor("the drain's move", async () => {
      const found = await listMigrations(here.redis, here.keys);
      return found.length > 0 && found;
    });
    expect(records).to.have.length(1);
    expect(records[0]).to.include({ name: "quiet", from: "n2", to: "n3", reason: "maintenance" });
  });

  it("makes an approved plan in mode approve", async () => {
    await here.report(hot());
    const scheduler = await here.start({ scheduler: { mode: "approve" } });
    await waitFor("a planned move", async () => {
      const answer = await scheduler.get<{ plan: { moves: unknown[] } | null }>(`${API_BASE}/plan`);
      return (answer.plan?.moves.length ?? 0) > 0;
    });
    expect(await listMigrations(here.redis, here.keys)).to.deep.equal([]);
    const answer = await scheduler.send("POST", `${API_BASE}/plan/approve`, {});
    expect(answer.status).to.equal(201);
    expect(answer.body.started).to.have.length(1);
    expect(await here.jobsOn("n1")).to.have.length(1);
    const stale = await scheduler.send("POST", `${API_BASE}/plan/approve`, { moves: [{ workload: "gone", to: "n3" }] });
    expect(stale.body).to.deep.include({ started: [], dropped: [{ workload: "gone", to: "n3", because: "it is no longer called for" }] });
  });

  it("holds balancing back while a no-moves window is open", async () => {
    await here.report(hot());
    const windows = [{ cron: "* * * * *", durationMinutes: 5, action: "no-moves" }];
    const scheduler = await here.start({ scheduler: { mode: "auto", windows } });
    await ticks(scheduler, 5);
    const { openWindows } = await scheduler.get<StatusAnswer>(`${API_BASE}/status`);
    expect(openWindows.map(({ action, node }) => [action, node])).to.deep.equal([["no-moves", null]]);
    expect((await stateOf(scheduler, "n1"))?.state).to.equal("overloaded");
    expect(await listMigrations(here.redis, here.keys)).to.deep.equal([]);
  });

  it("opens all that move as one at once, with one job, and moves no other with them", async () => {
    const member = { labels: { "io.evenkeel.group": "shop" } };
    const first = { id: "n1", workloads: [{ name: "front", ...member }, { name: "back", ...member }, { name: "other" }] };
    await here.report([first, { id: "n2", workloads: [] }]);
    const scheduler = await here.start();
    await ticks(scheduler, 1);
    const { status } = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "front", to: "n2" });
    expect(status).to.equal(201);
    const records = await listMigrations(here.redis, here.keys);
    expect(records.map(({ name }) => name).sort()).to.deep.equal(["back", "front"]);
    for (const { members } of records) expect([...members].sort()).to.deep.equal(records.map(({ id }) => id).sort());
    expect((await here.jobsOn("n1")).map(({ data }) => data.migrationId)).to.deep.equal([records.find(({ name }) => name === "front")!.id]);
  });

  it("moves none of a group when one of it may not go there", async () => {
    const member = (more: Record<string, string> = {}) => ({ labels: { "io.evenkeel.group": "shop", ...more } });
    const first = {
      id: "n1",
      workloads: [
        { name: "front", ...member() },
        { name: "back", ...member({ "io.evenkeel.mode": "never" }) },
      ],
    };
    await here.report([first, { id: "n2", workloads: [] }]);
    const scheduler = await here.start();
    await ticks(scheduler, 1);
    const refused = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "front", to: "n2" });
    expect(refused.body).to.have.nested.property("error.code", "MOVE_REFUSED");
    expect(await listMigrations(here.redis, here.keys)).to.deep.equal([]);
  });
});
