import { expect } from "chai";
import type { Redis } from "ioredis";
import { pushPattern } from "../../../collector/daily-pattern.js";
import { PATTERN_SLOT_SECONDS, patternSlotSchema } from "../../../collector/protocol.js";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import type { Answers, SnapshotAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const DAY = 86_400;

describe("what earlier days showed at this time of day", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler | undefined;

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [{ name: "b" }] },
    ]);
    await fleet.pushPast(10, 1);
    fleet.keepPushing();
    // n3 sleeps.
    await redis.zadd(keys.nodes, Date.now() / 1000 - 600, "n3");
    await redis.hset(keys.power, "n3", JSON.stringify({ told: "sleep", since: Date.now() / 1000 - 600 }));
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler?.close();
    scheduler = undefined;
    await server.close();
  });

  /** Each half hour from now to an hour later, on as many days before. */
  const remember = async (node: string, days: number, cpuRatio: number) => {
    const now = Date.now() / 1000;
    for (let day = days; day >= 1; day--) {
      for (const later of [-PATTERN_SLOT_SECONDS, 0, PATTERN_SLOT_SECONDS]) {
        const middle = (Math.floor((now + later) / PATTERN_SLOT_SECONDS) + 0.5) * PATTERN_SLOT_SECONDS - day * DAY;
        await pushPattern(redis, keys, node, [middle, cpuRatio, 0.2]);
      }
    }
  };
  const powerOf = async () => {
    const hook = { command: ["true"] };
    const policies = { consolidate: { enabled: true, leadSeconds: 5 }, balance: { forecastSeconds: 0 } };
    scheduler = await runScheduler(server, { scheduler: { mode: "observe", power: { sleep: hook, wake: hook } }, policies });
    const { plan } = await waitFor("a plan", async () => {
      const answer = await scheduler!.get<Answers["plan"]>(`${API_BASE}/plan`);
      // Not the one that its predecessor left.
      return answer.plan !== null && answer.plan.term === scheduler!.term() && answer;
    });
    return plan!.power;
  };

  it("wakes a node before the load comes that came on the days before, though nothing climbs yet", async () => {
    for (const node of ["n1", "n2"]) await remember(node, 3, 0.9);
    const [change] = await powerOf();
    expect(change).to.include({ node: "n3", to: "wake" });
    expect(change!.because).to.contain("as on the days before");
    const { snapshot } = await scheduler!.get<SnapshotAnswer>(`${API_BASE}/snapshot`);
    expect(snapshot.nodes.find(({ id }) => id === "n1")!.pastDays!.length).to.be.within(3, 9);
  });

  it("wakes nothing for days that were quiet, for a single day, or where one node has no days to show", async () => {
    for (const node of ["n1", "n2"]) await remember(node, 3, 0.1);
    expect(await powerOf()).to.deep.equal([]);
    await scheduler!.close();
    await redis.del(keys.nodePattern("n1"), keys.nodePattern("n2"));
    for (const node of ["n1", "n2"]) await remember(node, 1, 0.9);
    expect(await powerOf()).to.deep.equal([]);
    await scheduler!.close();
    await remember("n1", 3, 0.9);
    expect(await powerOf()).to.deep.equal([]);
  });

  it("keeps a week of each half hour, and no more", async () => {
    for (let day = 1; day <= 12; day++) await pushPattern(redis, keys, "n1", [day * DAY + 900, day / 100, null]);
    const kept = patternSlotSchema.parse(JSON.parse((await redis.hget(keys.nodePattern("n1"), "0"))!));
    expect(kept.map(([at]) => at / DAY)).to.deep.equal([6, 7, 8, 9, 10, 11, 12].map((day) => day + 900 / DAY));
    await pushPattern(redis, keys, "n1", [16 * DAY + 900, 0.5, null]);
    const after = patternSlotSchema.parse(JSON.parse((await redis.hget(keys.nodePattern("n1"), "0"))!));
    expect(
      after.map(([at]) => Math.floor(at / DAY)),
      "days on which it slept leave older ones no place",
    ).to.deep.equal([10, 11, 12, 16]);
    await pushPattern(redis, keys, "n1", [16 * DAY + 900, 0.5, null]);
    expect(await redis.hlen(keys.nodePattern("n1"))).to.equal(1);
  });
});
