import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { advanceMigration, claimMigration, closeMigration, commitMigration, listMigrations } from "../../../platform/migration-record.js";
import type { PublishedPlan } from "../../../scheduler/plan-store.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("a workload's rest (no cool-down across restarts)", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  const start = async () => {
    scheduler = await runScheduler(server, { scheduler: { mode: "auto" }, policies: { overload: { holdSeconds: 2, settleSeconds: 0 } } });
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: ["a", "b", "c"].map((name) => ({ name, cpuUsedCores: 1.2 })) },
      { id: "n2", workloads: [] },
      { id: "n3", workloads: [] },
    ]);
    await fleet.pushPast(10, 1);
    fleet.keepPushing();
    await start();
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  it("goes on when the scheduler is another: the node it reached may be hot at once, it stays", async () => {
    const record = await waitFor("the move", async () => (await listMigrations(redis, keys, 0))[0]);
    const { epoch } = (await claimMigration(redis, keys, record.id, Date.now() / 1000))!;
    await advanceMigration(redis, keys, Date.now() / 1000, { id: record.id, epoch, stage: "restore" });
    expect(await commitMigration(redis, keys, record.id, epoch, Date.now() / 1000)).to.equal(true);
    await scheduler.close();
    const [from, to] = [fleet.node(record.from), fleet.node(record.to)];
    to.workloads = from.workloads.filter(({ name }) => name === record.name);
    from.workloads = from.workloads.filter(({ name }) => name !== record.name);
    await closeMigration(redis, keys, record, Date.now() / 1000, { result: "succeeded" });
    to.otherCpuCores = 3;
    await start();
    const skip = await waitFor("the hot node to be seen", async () => {
      const { plan } = await scheduler.get<{ plan: PublishedPlan | null }>("/api/v1/plan");
      return plan?.verdicts.some(({ node, verdict }) => node === record.to && verdict === "overloaded")
        ? plan.skips.find(({ workload }) => workload === record.workload)
        : null;
    });
    expect(skip.reason).to.equal("workload-cooling-down");
    expect((await listMigrations(redis, keys)).filter(({ workload }) => workload === record.workload)).to.have.length(1);
  });
});
