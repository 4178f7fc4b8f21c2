import { expect } from "chai";
import { createMigration } from "../../../platform/migration-record.js";
import type { StatusAnswer } from "../../../scheduler/api-shapes.js";
import type { AuditEntry } from "../../../scheduler/audit.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { containerIdOf } from "../../support/reported-fleet.js";
import { waitFor } from "../../support/wait-for.js";
import { ScheduledFleet, ticks } from "./scheduled-fleet.js";

describe("the scheduler, so that a move is begun once and by one", () => {
  const here = new ScheduledFleet();

  it("has one leader among two schedulers; the other serves reads, hands changes over, and takes over", async () => {
    await here.report([
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [] },
    ]);
    const first = await here.start();
    await waitFor("the first to lead", () => first.term() === 1);
    const second = await here.start();
    await waitFor("a plan", async () => (await second.get<{ plan: unknown }>(`${API_BASE}/plan`)).plan);
    const status = await second.get<StatusAnswer>(`${API_BASE}/status`);
    expect(status.isLeader).to.equal(false);
    expect(status.leader).to.include({ term: 1, url: first.url });
    const moved = await second.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" });
    expect(moved.status).to.equal(201);
    expect((await here.jobsOn("n1")).map(({ id }) => id)).to.deep.equal([moved.body.migration.id]);
    await first.close();
    await waitFor("the second to lead", () => second.term() === 2);
    here.schedulers.splice(here.schedulers.indexOf(first), 1);
  });

  it("delivers a job again when its record is open, silent, and without one", async () => {
    await here.report([
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [] },
    ]);
    const record = { workload: containerIdOf("a"), name: "a", containerId: containerIdOf("a"), from: "n1", to: "n2" };
    const minuteAgo = Date.now() / 1000 - 60;
    await createMigration(here.redis, here.keys, { ...record, id: "m-lost", reason: "operator", because: "", mode: "auto" }, minuteAgo, 0);
    const scheduler = await here.start();
    const jobs = await waitFor("the job", async () => {
      const found = await here.jobsOn("n1");
      return found.length > 0 && found;
    });
    await ticks(scheduler, 3);
    expect(jobs.map(({ id }) => id)).to.deep.equal(["m-lost"]);
    expect(await here.jobsOn("n1")).to.have.length(1);
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit`);
    expect(entries.filter(({ kind }) => kind === "job-restored")).to.have.length(1);
  });

  it("cancels a migration that nobody has taken up", async () => {
    await here.report([
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [] },
    ]);
    const scheduler = await here.start();
    await waitFor("the leader", () => scheduler.term() !== null);
    const { body } = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" });
    const cancelled = await scheduler.send("DELETE", `${API_BASE}/migrations/${body.migration.id}`);
    expect(cancelled.body.migration).to.include({ outcome: "aborted", result: "cancelled" });
    expect((await scheduler.send("DELETE", `${API_BASE}/migrations/${body.migration.id}`)).body.error.code).to.equal("COMMIT_REFUSED");
    expect((await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" })).status).to.equal(201);
  });
});
