import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import {
  advanceMigration,
  claimMigration,
  createMigration,
  createMigrations,
  readMigration,
  type Stage,
} from "../../../platform/migration-record.js";
import type { AuditEntry } from "../../../scheduler/audit.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const HOURS = 3600;

describe("moves that have been opened and are no longer called for", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler | undefined;

  const recordOf = (id: string, name: string, reason: string) => {
    const workload = containerIdOf(name);
    return { id, workload, name, containerId: workload, from: "n1", to: "n2", reason, because: "", mode: "auto" };
  };
  const open = (id: string, name: string, reason: string, at: number, more: { approved?: true } = {}) =>
    createMigration(redis, keys, { ...recordOf(id, name, reason), ...more }, at, 0);
  const openTogether = (reason: string, at: number) =>
    createMigrations(
      redis,
      keys,
      ["a", "b"].map((name) => recordOf(`m-${name}`, name, reason)),
      at,
      0,
    );
  const advance = async (id: string, stage: Stage) => {
    const { epoch } = (await claimMigration(redis, keys, id, Date.now() / 1000))!;
    await advanceMigration(redis, keys, Date.now() / 1000, { id, epoch, stage });
  };
  const outcomeOf = async (id: string) => (await readMigration(redis, keys, id))?.outcome;
  const isCancelled = (id: string) => waitFor(`${id} to be called off`, async () => (await outcomeOf(id)) === "aborted");
  // A record is settled first, and then closed with the words.
  const messageOf = (id: string) => waitFor(`${id} to say why`, async () => (await readMigration(redis, keys, id))?.errorMessage);
  const ticks = async (count: number) => {
    const counted = async () =>
      Number(/_count (\d+)/.exec(await scheduler!.registry.getSingleMetricAsString("evenkeel_tick_duration_seconds"))?.[1] ?? 0);
    const before = await counted();
    await waitFor(`${count} more ticks`, async () => (await counted()) >= before + count);
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "a" }, { name: "b" }, { name: "c" }] },
      { id: "n2", workloads: [] },
    ]);
    await fleet.pushPast(5, 1);
    fleet.keepPushing();
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler?.close();
    scheduler = undefined;
    await server.close();
  });

  it("are cancelled when the drain is lifted, in the queue and on the way, but not once frozen; and never for their age", async () => {
    const longAgo = Date.now() / 1000 - 10 * HOURS;
    for (const [id, name] of Object.entries({ "m-queued": "a", "m-prepared": "b", "m-frozen": "c" })) {
      await open(id, name, "maintenance", longAgo);
    }
    await advance("m-prepared", "prepare");
    await advance("m-frozen", "freeze");
    await redis.hset(keys.maintenance, "n1", "disk");
    scheduler = await runScheduler(server);
    await ticks(4);
    for (const id of ["m-queued", "m-prepared", "m-frozen"]) expect(await outcomeOf(id), id).to.equal("pending");

    await scheduler.send("DELETE", `${API_BASE}/nodes/n1/maintenance`);
    await isCancelled("m-queued");
    await isCancelled("m-prepared");
    await ticks(3);
    expect(await readMigration(redis, keys, "m-frozen")).to.include({ outcome: "pending", stage: "freeze" });
    expect(await readMigration(redis, keys, "m-queued")).to.include({ result: "cancelled", errorCode: "CANCELLED" });
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit?limit=200`);
    const noted = entries.filter(({ kind }) => kind === "move-withdrawn");
    expect(noted.map(({ migration }) => migration)).to.have.members(["m-queued", "m-prepared"]);
    for (const { detail } of noted) expect(detail).to.equal("Neither n1 nor any other node is under maintenance now.");
  });

  it("are closed as cancelled with all that move as one with them, of which no executor has taken any up", async () => {
    await openTogether("operator", Date.now() / 1000);
    scheduler = await runScheduler(server);
    expect((await scheduler.send("DELETE", `${API_BASE}/migrations/m-a`)).status).to.equal(200);
    for (const id of ["m-a", "m-b"]) {
      expect(await readMigration(redis, keys, id), id).to.include({ outcome: "aborted", result: "cancelled", errorCode: "CANCELLED" });
    }
    expect(await redis.scard(keys.openMigrations)).to.equal(0);
  });

  it("are called off together when one of them is, each with its line in the audit, and none of them is delivered again", async () => {
    await openTogether("operator", Date.now() / 1000 - HOURS);
    await redis.hset(keys.maintenance, "n2", "disk");
    scheduler = await runScheduler(server);
    await isCancelled("m-a");
    await ticks(3);
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit?limit=200`);
    const of = (kind: string) => entries.filter((entry) => entry.kind === kind).map(({ migration }) => migration);
    expect(of("move-withdrawn")).to.have.members(["m-a", "m-b"]);
    expect(of("job-restored")).to.deep.equal([]);
    for (const id of ["m-a", "m-b"]) expect(await readMigration(redis, keys, id), id).to.include({ result: "cancelled" });
  });

  it("leave those of their group to the executor that has taken them up", async () => {
    await openTogether("operator", Date.now() / 1000);
    await claimMigration(redis, keys, "m-b", Date.now() / 1000);
    scheduler = await runScheduler(server);
    await scheduler.send("DELETE", `${API_BASE}/migrations/m-a`);
    expect(await readMigration(redis, keys, "m-b")).to.include({ outcome: "aborted", closedAt: null });
  });

  it("are cancelled when the destination goes under maintenance before they begin", async () => {
    await open("m-asked", "a", "operator", Date.now() / 1000);
    scheduler = await runScheduler(server);
    await ticks(3);
    expect(await outcomeOf("m-asked")).to.equal("pending");
    await redis.hset(keys.maintenance, "n2", "disk");
    await isCancelled("m-asked");
    expect(await messageOf("m-asked")).to.equal("n2 is under maintenance.");
  });

  describe("when what holds moves back has changed since", () => {
    const policies = { balance: { enabled: true } };
    const allDay = { cron: "0 * * * *", durationMinutes: 60, timeZone: "UTC", action: "no-moves" };

    it("are cancelled by the mode, in the queue and on the way, unless an operator asked for or approved them", async () => {
      const now = Date.now() / 1000;
      fleet.node("n1").workloads = ["a", "b", "c", "d", "e", "f"].map((name) => ({ name }));
      await fleet.push();
      await open("m-queued", "a", "balance", now);
      await open("m-prepared", "b", "balance", now);
      await advance("m-prepared", "prepare");
      await open("m-frozen", "c", "balance", now);
      await advance("m-frozen", "freeze");
      await open("m-approved", "d", "balance", now, { approved: true });
      await open("m-drain", "e", "maintenance", now);
      await open("m-asked", "f", "operator", now);
      await redis.hset(keys.maintenance, "n1", "disk");
      scheduler = await runScheduler(server, { scheduler: { mode: "observe" }, policies });
      await isCancelled("m-queued");
      await isCancelled("m-prepared");
      expect(await messageOf("m-queued")).to.equal("It is held back now: mode observe: plans only.");
      await ticks(8);
      for (const id of ["m-frozen", "m-approved", "m-drain", "m-asked"]) expect(await outcomeOf(id), id).to.equal("pending");
    });

    it("are cancelled by a window that has opened, approved ones too, but no drain's and no operator's", async () => {
      const now = Date.now() / 1000;
      await open("m-approved", "a", "balance", now, { approved: true });
      await open("m-drain", "b", "maintenance", now);
      await open("m-asked", "c", "operator", now);
      await redis.hset(keys.maintenance, "n1", "disk");
      scheduler = await runScheduler(server, { scheduler: { mode: "auto", windows: [allDay] }, policies });
      await isCancelled("m-approved");
      expect(await messageOf("m-approved")).to.equal("It is held back now: a no-moves window is open.");
      await ticks(4);
      for (const id of ["m-drain", "m-asked"]) expect(await outcomeOf(id), id).to.equal("pending");
    });

    it("are cancelled by a lower budget, the newest first and no more than are beyond it", async () => {
      const now = Date.now() / 1000;
      await open("m-1", "a", "balance", now);
      await open("m-2", "b", "balance", now);
      await open("m-3", "c", "balance", now);
      await advance("m-3", "prepare");
      scheduler = await runScheduler(server, { scheduler: { mode: "auto" }, policies: { ...policies, movesPerHour: 2 } });
      await isCancelled("m-3");
      await ticks(4);
      for (const id of ["m-1", "m-2"]) expect(await outcomeOf(id), id).to.equal("pending");
    });
  });
});
