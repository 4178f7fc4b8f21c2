import { Worker } from "bullmq";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  createMigration,
  readMigration,
  type Stage,
} from "../../../platform/migration-record.js";
import { makeMigrationJobs } from "../../../scheduler/act/migration-jobs.js";
import type { DrainReport } from "../../../scheduler/fleet/drain-report.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, type ReportedFleet, reportFleet, reportOfExecutor } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const API = "/api/v1";
const now = () => Date.now() / 1000;
/** In mode observe the first tick would call the moves off itself. */
const LEVELS = { scheduler: { mode: "auto" } };

describe("migrations whose source is lost for good", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  /** A move of a workload from n1, which is gone, to n2. */
  const open = async (id: string, name: string, stage: Stage, fields: Record<string, string> = {}) => {
    const workload = containerIdOf(name);
    const record = { id, workload, name, containerId: workload, from: "n1", to: "n2", reason: "overload", because: "", mode: "auto" };
    await createMigration(redis, keys, record, now(), 0);
    const { epoch } = (await claimMigration(redis, keys, id, now()))!;
    await advanceMigration(redis, keys, now(), { id, epoch, stage, fields });
    return epoch;
  };
  const commit = async (id: string, name: string, fields: Record<string, string> = {}) => {
    expect(await commitMigration(redis, keys, id, await open(id, name, "restore", fields), now())).to.equal(true);
  };
  const silence = async () => {
    fleet.nodes.splice(0, 1);
    await fleet.stop();
    await redis.del(keys.nodeSample("n1"));
    await redis.hdel(keys.executors, "n1");
    fleet.keepPushing();
  };
  const drain = async () => (await scheduler.get<{ drain: DrainReport }>(`${API}/drains/n2`)).drain;

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "a" }, { name: "b" }] },
      { id: "n2", workloads: [{ name: "c" }] },
      { id: "n3", workloads: [] },
    ]);
    await fleet.pushPast(5, 1);
    fleet.keepPushing();
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  it("weigh nothing once they are cancelled, so that their destination can be drained", async () => {
    await open("m-half", "a", "prepare");
    await silence();
    await redis.hset(keys.maintenance, "n2", "disk");
    scheduler = await runScheduler(server, LEVELS);
    // Its need is not known, and its destination has its one move.
    await waitFor("the drain to wait", async () => (await drain()).remaining[0]?.status === "waiting");
    expect((await scheduler.send("DELETE", `${API}/migrations/m-half`)).body.migration.outcome).to.equal("aborted");
    const move = await waitFor("the drain to go on", async () => redis.hget(keys.openByWorkload, containerIdOf("c")));
    expect(await readMigration(redis, keys, move)).to.include({ from: "n2", to: "n3", reason: "maintenance" });
    const { epoch } = (await claimMigration(redis, keys, move, now()))!;
    await advanceMigration(redis, keys, now(), { id: move, epoch, stage: "restore" });
    await commitMigration(redis, keys, move, epoch, now());
    fleet.node("n3").workloads = fleet.node("n2").workloads.splice(0);
    await closeMigration(redis, keys, (await readMigration(redis, keys, move))!, now(), { result: "succeeded" });
    await waitFor("n2 to be drained", async () => (await drain()).state === "drained");
    expect((await readMigration(redis, keys, "m-half"))?.closedAt).to.equal(null);
  });

  it("are closed when the node is forgotten: what had not committed as failed, what had as the record says", async () => {
    await open("m-half", "a", "prepare");
    await commit("m-whole", "b");
    await silence();
    scheduler = await runScheduler(server);
    const { status, body } = await scheduler.send("DELETE", `${API}/nodes/n1`);
    expect(status).to.equal(200);
    expect((body as unknown as { settled: string[] }).settled).to.have.members(["m-half", "m-whole"]);
    expect(await readMigration(redis, keys, "m-half")).to.include({ outcome: "aborted", result: "failed", errorCode: "NODE_LOST" });
    expect(await readMigration(redis, keys, "m-whole")).to.include({ outcome: "committed", result: "succeeded", errorCode: null });
    expect(await redis.hgetall(keys.openByWorkload)).to.deep.equal({});
    expect(await redis.hget(keys.owners, containerIdOf("b"))).to.equal("n2");
  });

  it("leave nothing of the node's queue when it is forgotten, nor of the job that its executor had in hand", async () => {
    await open("m-half", "a", "prepare");
    const connection = server.connect();
    const jobs = makeMigrationJobs(connection, keys);
    await jobs.add("m-half", "n1");
    await jobs.add("m-next", "n1");
    await jobs.add("m-other", "n2");
    const options = { connection: connection as never, prefix: keys.queuePrefix, autorun: false };
    const worker = new Worker(keys.migrateQueue("n1"), null, options);
    expect((await worker.getNextJob("executor"))?.id).to.equal("m-half");
    await worker.close(true);
    await jobs.close();
    const inRedis = async (node: string) => (await redis.keys(`${keys.queuePrefix}:${keys.migrateQueue(node)}:*`)).length;
    expect(await inRedis("n1")).to.be.greaterThan(2);
    await silence();
    scheduler = await runScheduler(server);
    expect((await scheduler.send("DELETE", `${API}/nodes/n1`)).status).to.equal(200);
    expect(await inRedis("n1")).to.equal(0);
    expect(await inRedis("n2")).to.be.greaterThan(2);
  });

  it("are closed as failed when the copy still needed memory of its source", async () => {
    await commit("m-lazy", "a", { modeUsed: "postcopy" });
    await silence();
    scheduler = await runScheduler(server);
    await scheduler.send("DELETE", `${API}/nodes/n1`);
    expect(await readMigration(redis, keys, "m-lazy")).to.include({ outcome: "committed", result: "failed", errorCode: "NODE_LOST" });
  });

  it("are closed by the next tick when whoever forgot the node had stopped before", async () => {
    await open("m-half", "a", "freeze");
    await silence();
    await redis.zrem(keys.nodes, "n1");
    scheduler = await runScheduler(server);
    await waitFor("the record to be closed", async () => (await readMigration(redis, keys, "m-half"))?.closedAt);
  });

  it("are left alone while the node is only silent, or while its executor is heard", async () => {
    await open("m-half", "a", "prepare");
    await silence();
    scheduler = await runScheduler(server, LEVELS);
    await redis.hset(keys.executors, "n1", reportOfExecutor());
    const refused = await scheduler.send("DELETE", `${API}/nodes/n1`);
    expect([refused.status, refused.body.error.code]).to.deep.equal([409, "NODE_REPORTS"]);
    expect(await readMigration(redis, keys, "m-half")).to.include({ outcome: "pending", closedAt: null });
  });
});
