import { expect } from "chai";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  createMigration,
  readMigration,
} from "../../../platform/migration-record.js";
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

  it("tells the executor what the workload's own moves have shown, and nothing of one that was never moved", async () => {
    await here.report([
      { id: "n1", workloads: [{ name: "a" }, { name: "b" }] },
      { id: "n2", workloads: [] },
    ]);
    const { redis, keys } = here;
    const hourAgo = Date.now() / 1000 - 3600;
    const past = { id: "m-1", workload: containerIdOf("a"), name: "a", containerId: containerIdOf("a"), from: "n2", to: "n1" };
    await createMigration(redis, keys, { ...past, reason: "operator", because: "", mode: "auto" }, hourAgo, 0);
    const record = (await claimMigration(redis, keys, "m-1", hourAgo))!;
    const round = { bytes: 1e6, seconds: 2, pausedSeconds: 0.01 };
    const fields = {
      modeUsed: "precopy",
      rounds: [
        { ...round, round: 1, dirtyBytesPerSecond: 3e6 },
        { ...round, round: 2, dirtyBytesPerSecond: null },
      ],
    };
    const enter = (stage: "freeze" | "restore", more: object) =>
      advanceMigration(redis, keys, hourAgo, { id: "m-1", epoch: record.epoch, stage, fields: { ...fields, ...more } });
    await enter("freeze", { bytes: { files: 5000 } });
    await enter("restore", { bytes: { files: 7000 } });
    expect(await commitMigration(redis, keys, "m-1", record.epoch, hourAgo)).to.equal(true);
    await closeMigration(redis, keys, record, hourAgo, { result: "succeeded" });
    const scheduler = await here.start();
    await waitFor("the leader", () => scheduler.term() !== null);
    const learnedOf = async (workload: string) => {
      const { status, body } = await scheduler.send("POST", `${API_BASE}/migrations`, { workload, to: "n2" });
      expect(status, JSON.stringify(body)).to.equal(201);
      return (await readMigration(redis, keys, body.migration.id))!.learned;
    };
    expect(await learnedOf("a")).to.deep.equal({ dirtyBytesPerSecond: 3e6, frozenFileBytes: 2000, stopSeconds: null });
    expect(await learnedOf("b")).to.equal(undefined);
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
    expect((await scheduler.send("DELETE", `${API_BASE}/migrations/${body.migration.id}`)).body.error.code).to.equal("MIGRATION_SETTLED");
    expect((await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" })).status).to.equal(201);
  });
});
