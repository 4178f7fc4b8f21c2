import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  listMigrations,
  type MigrationRecord,
} from "../../../platform/migration-record.js";
import { CLOCK_SKEW_SECONDS } from "../../../policies/clock-skew.js";
import type { MaintenanceAnswer, SnapshotAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("undrain that brings workloads home", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  const openMigration = () => waitFor("a migration", async () => (await listMigrations(redis, keys, 0))[0]);
  /** What executors do to the record and to where the container runs. */
  const finish = async (record: MigrationRecord) => {
    const round = { bytes: 20 * 2 ** 20, seconds: 1, pausedSeconds: 0.01 };
    const rounds = [
      { ...round, round: 1, dirtyBytesPerSecond: 2 ** 20 },
      { ...round, round: 2, dirtyBytesPerSecond: null },
    ];
    const bytes = { memory: 10 * 2 ** 20, precopy: 30 * 2 ** 20, files: 60 * 2 ** 20 };
    const took = { modeUsed: "precopy", blackoutSeconds: 0.3, bytes, rounds };
    const now = Date.now() / 1000;
    const { epoch } = (await claimMigration(redis, keys, record.id, now))!;
    await advanceMigration(redis, keys, now, { id: record.id, epoch, stage: "prepare" });
    await advanceMigration(redis, keys, now + 2, { id: record.id, epoch, stage: "restore", fields: took });
    expect(await commitMigration(redis, keys, record.id, epoch, Date.now() / 1000)).to.equal(true);
    const from = fleet.node(record.from);
    const moved = from.workloads.find(({ name }) => name === record.name)!;
    from.workloads = from.workloads.filter((workload) => workload !== moved);
    fleet.node(record.to).workloads.push(moved);
    await closeMigration(redis, keys, record, Date.now() / 1000, { result: "succeeded" });
  };
  const emptied = async () => {
    await scheduler.send("PUT", `${API_BASE}/nodes/n1/maintenance`, { reason: "disk" });
    for (let left = 2; left > 0; left--) await finish(await openMigration());
    await waitFor("n1 to be drained", async () => {
      const { drain } = await scheduler.get<{ drain: { state: string } }>(`${API_BASE}/drains/n1`);
      return drain.state === "drained";
    });
  };
  const undrain = async (query: string) =>
    (await scheduler.send("DELETE", `${API_BASE}/nodes/n1/maintenance${query}`)).body as unknown as MaintenanceAnswer;

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "a" }, { name: "b" }] },
      { id: "n2", workloads: [{ name: "c" }] },
    ]);
    await fleet.pushPast(5, 1);
    fleet.keepPushing();
    scheduler = await runScheduler(server, { scheduler: { mode: "observe" } });
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  it("calls back what left for the drain, in any mode, and forgets the wish when it is fulfilled", async () => {
    await emptied();
    const answer = await undrain("?bringHome=true");
    expect(answer.comingHome).to.have.members([containerIdOf("a"), containerIdOf("b")]);
    for (let left = 2; left > 0; left--) {
      const record = await openMigration();
      expect(record).to.include({ from: "n2", to: "n1", reason: "homecoming" });
      await finish(record);
    }
    await waitFor("the wish to be forgotten", async () => (await redis.hlen(keys.homecomings)) === 0);
    expect(fleet.node("n1").workloads.map(({ name }) => name)).to.have.members(["a", "b"]);
    expect(fleet.node("n2").workloads.map(({ name }) => name)).to.deep.equal(["c"]);
  });

  it("calls nothing back that has been moved since: whoever moved it did so later", async () => {
    await emptied();
    const askedAt = Date.now() / 1000;
    await redis.hset(keys.homecomings, "n1", JSON.stringify({ askedAt, workloads: [containerIdOf("a"), containerIdOf("b")] }));
    // As a move of somebody else's leaves it.
    await redis.hset(keys.lastMoved, containerIdOf("a"), askedAt + CLOCK_SKEW_SECONDS + 0.1);
    await redis.hdel(keys.maintenance, "n1");
    const record = await openMigration();
    expect(record).to.include({ name: "b", reason: "homecoming" });
    await finish(record);
    await waitFor("the wish to be forgotten", async () => (await redis.hlen(keys.homecomings)) === 0);
    expect(await listMigrations(redis, keys, 0)).to.deep.equal([]);
    expect(fleet.node("n2").workloads.map(({ name }) => name)).to.have.members(["a", "c"]);
  });

  it("leaves all where it is unless asked, and drops the wish when the node is flagged again", async () => {
    await emptied();
    expect((await undrain("")).comingHome).to.deep.equal([]);
    expect(await redis.hlen(keys.homecomings)).to.equal(0);
    await redis.hset(keys.homecomings, "n1", JSON.stringify({ askedAt: Date.now() / 1000, workloads: [containerIdOf("a")] }));
    await redis.hset(keys.maintenance, "n1", "again");
    await waitFor("the wish to be dropped", async () => (await redis.hlen(keys.homecomings)) === 0);
  });

  it("keeps a wish that is younger than the flag which a reading still shows: the two were not written at once", async () => {
    await emptied();
    const askedAt = Date.now() / 1000;
    await redis.hset(keys.homecomings, "n1", JSON.stringify({ askedAt, workloads: [containerIdOf("a")] }));
    const plannedAt = async () => (await scheduler.get<{ plan: { at: number } }>(`${API_BASE}/plan`)).plan.at;
    await waitFor("some ticks", async () => (await plannedAt()) > askedAt + 1);
    expect(await redis.hlen(keys.homecomings)).to.equal(1);
    await redis.hdel(keys.maintenance, "n1");
    expect(await openMigration()).to.include({ name: "a", from: "n2", to: "n1", reason: "homecoming" });
  });

  it("has taught, on the way, what such a move costs: link, files, blackout, how fast it writes its memory", async () => {
    await emptied();
    const { snapshot } = await scheduler.get<SnapshotAnswer>(`${API_BASE}/snapshot`);
    const a = snapshot.workloads.find(({ name }) => name === "a")!;
    expect(a.past).to.deep.equal({
      count: 1,
      fileBytes: 60 * 2 ** 20,
      memoryBytes: 40 * 2 ** 20,
      blackoutSecondsIn: { precopy: 0.3 },
      dirtyBytesPerSecond: 2 ** 20,
      frozenFileBytes: null,
      stopSeconds: null,
    });
    for (const { id, linkBytesPerSecond } of snapshot.nodes) expect(linkBytesPerSecond, id).to.be.closeTo(50 * 2 ** 20, 2 ** 20);
  });
});
