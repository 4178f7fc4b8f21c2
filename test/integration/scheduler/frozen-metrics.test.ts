import { expect } from "chai";
import type { Redis } from "ioredis";
import { makeKeys } from "../../../platform/keys.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("the metrics of a leader that cannot do its work", () => {
  const keys = makeKeys();
  let server: ThrowAwayRedis;
  let redis: Redis;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  const read = async (series: string) => {
    const found = (await scheduler.registry.metrics()).split("\n").find((line) => line.startsWith(`${series} `));
    return found === undefined ? null : Number(found.split(" ")[1]);
  };
  const leads = () => read("evenkeel_leader");
  const ageOfN1 = () => read('evenkeel_node_sample_age_seconds{node="n1"}');
  const health = async () => (await fetch(`${scheduler.url}/healthz`)).status;

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    fleet = reportFleet(redis, keys, [{ id: "n1", workloads: [] }]);
    await fleet.push();
    fleet.keepPushing();
    scheduler = await runScheduler(server);
    await waitFor("it to lead", async () => (await leads()) === 1 && (await ageOfN1()) !== null);
  });
  afterEach(async () => {
    process.kill(server.pid, "SIGCONT");
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  it("say so when Redis does not answer, and do not stand still", async () => {
    process.kill(server.pid, "SIGSTOP");
    await waitFor("it to lead no longer", async () => (await leads()) === 0);
    await waitFor("the sample to grow old", async () => (await ageOfN1())! > 3);
  });

  it("say so when each tick fails, though the lease is renewed", async () => {
    await redis.set(keys.cordons, "no hash");
    await waitFor("it to count as no leader", async () => (await leads()) === 0);
    expect(scheduler.term()).to.not.equal(null);
    expect(await health()).to.equal(503);
    await redis.del(keys.cordons);
    await waitFor("it to lead again", async () => (await leads()) === 1);
  });
});
