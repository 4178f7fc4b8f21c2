import { expect } from "chai";
import type { Redis } from "ioredis";
import { finding } from "../../../platform/findings.js";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import {
  abortMigration,
  advanceMigration,
  claimMigration,
  closeMigration,
  listMigrations,
  type MigrationRecord,
} from "../../../platform/migration-record.js";
import type { PublishedPlan } from "../../../scheduler/plan-store.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("a move that preflight refuses", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  before(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "web" }] },
      { id: "n2", workloads: [] },
    ]);
    await fleet.pushPast(5, 1);
    fleet.keepPushing();
    scheduler = await runScheduler(server, { scheduler: { mode: "auto" } });
  });
  after(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  /** What the source's executor does with a move that is blocked. */
  const refuse = async (record: MigrationRecord) => {
    const at = () => Date.now() / 1000;
    const { epoch } = (await claimMigration(redis, keys, record.id, at()))!;
    const blockers = [finding("tty", "It has a terminal (docker run -t)")];
    await advanceMigration(redis, keys, at(), { id: record.id, epoch, stage: "preflight", fields: { blockers } });
    await abortMigration(redis, keys, record.id, at(), "blocked");
    await closeMigration(redis, keys, record, at(), { result: "failed", errorCode: "PREFLIGHT_BLOCKED", errorMessage: "tty" });
  };

  it("is not asked for at the next tick; the plan says what is in the way", async () => {
    await redis.hset(keys.maintenance, "n1", "disk");
    await refuse(await waitFor("the drain to begin", async () => (await listMigrations(redis, keys, 0))[0]));
    const plan = await waitFor("the plan to tell", async () => {
      const { plan } = await scheduler.get<{ plan: PublishedPlan }>("/api/v1/plan");
      return plan.skips.some(({ reason }) => reason === "workload-refused") ? plan : null;
    });
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips[0]!.because).to.include("tty: It has a terminal (docker run -t)");
    expect(await listMigrations(redis, keys)).to.have.length(1);
    const { drain } = await scheduler.get<{ drain: { remaining: { status: string; because: string }[] } }>("/api/v1/drains/n1");
    expect(drain.remaining[0]!.status).to.equal("blocked");
    expect(drain.remaining[0]!.because).to.include("tty");
  });
});
