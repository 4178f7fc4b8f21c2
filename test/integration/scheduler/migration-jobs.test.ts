import { Queue } from "bullmq";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { makeKeys } from "../../../platform/keys.js";
import { createMigration } from "../../../platform/migration-record.js";
import { forgetJobs } from "../../../scheduler/act/forget.js";
import { type MigrationJobs, makeMigrationJobs } from "../../../scheduler/act/migration-jobs.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";

describe("the queues of migrations", () => {
  const keys = makeKeys();
  let server: ThrowAwayRedis;
  let redis: Redis;
  let jobs: MigrationJobs;
  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    jobs = makeMigrationJobs(redis, keys);
  });
  afterEach(async () => {
    await jobs.close();
    await server.close();
  });
  const inRedis = async (node: string) => (await redis.keys(`${keys.queuePrefix}:${keys.migrateQueue(node)}:*`)).length;

  it("are held in memory for the nodes that there are", async () => {
    await jobs.add("m-1", "n1");
    const forOne = redis.listenerCount("error");
    for (let index = 2; index < 20; index += 1) await jobs.add(`m-${index}`, `n${index}`);
    await jobs.keepOnly(new Set(["n1"]));
    expect(redis.listenerCount("error")).to.equal(forOne);
    // One that comes back is served as before.
    await jobs.add("m-20", "n2");
    expect(await jobs.restore("m-20", "n2")).to.equal(false);
  });

  it("are removed whole, and made anew should the node come back", async () => {
    await jobs.add("m-1", "n1");
    await jobs.remove("n1");
    expect(await inRedis("n1")).to.equal(0);
    await jobs.remove("n-without-any");
    expect(await inRedis("n-without-any")).to.equal(0);
    await jobs.add("m-2", "n1");
    const queue = new Queue(keys.migrateQueue("n1"), { connection: redis, prefix: keys.queuePrefix });
    expect(await queue.isPaused()).to.equal(false);
    expect((await queue.getJobs()).map(({ id }) => id)).to.deep.equal(["m-2"]);
    await queue.close();
  });

  it("are left to a node that has come back since it was forgotten, and moves something", async () => {
    const move = { id: "m-1", workload: "w", name: "w", containerId: "w", from: "n1", to: "n2" };
    await createMigration(redis, keys, { ...move, reason: "operator", because: "", mode: "auto" }, 1, 0);
    await jobs.add("m-1", "n1");
    await forgetJobs({ redis, keys, jobs }, "n1");
    expect(await jobs.restore("m-1", "n1")).to.equal(false);
    expect(await inRedis("n1")).to.be.greaterThan(0);
  });

  it("do not stay closed to executors when their removal broke off", async () => {
    await jobs.add("m-1", "n1");
    const queue = new Queue(keys.migrateQueue("n1"), { connection: redis, prefix: keys.queuePrefix });
    await queue.pause();
    expect(await jobs.restore("m-1", "n1")).to.equal(false);
    expect(await queue.isPaused()).to.equal(false);
    await queue.close();
  });
});
