import { expect } from "chai";
import type { Redis } from "ioredis";
import { makeKeys } from "../../../platform/keys.js";
import { createMigration, readMigration } from "../../../platform/migration-record.js";
import { cancelMigration } from "../../../scheduler/act/cancel.js";
import { makeMigrationJobs } from "../../../scheduler/act/migration-jobs.js";
import { recoverJobs } from "../../../scheduler/act/recover-jobs.js";
import { settleLostSources } from "../../../scheduler/act/settle-lost.js";
import { recordAudit } from "../../../scheduler/audit.js";
import type { FleetPicture } from "../../../scheduler/fleet/build-snapshot.js";
import { noteFlagDates } from "../../../scheduler/fleet/flag-dates.js";
import { endHomecomings } from "../../../scheduler/fleet/homecomings.js";
import { holdLease, type Lease, type LeaseOptions, readLeader } from "../../../scheduler/lease.js";
import { readPlan, writePlan } from "../../../scheduler/plan-store.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { waitFor } from "../../support/wait-for.js";

const keys = makeKeys();
const plan = { at: 1, verdicts: [], moves: [], skips: [], power: [], imbalanceBefore: null, imbalanceAfter: null, mode: "auto" } as const;
const migration = {
  id: "m-1",
  workload: "w",
  name: "w",
  containerId: "c",
  from: "n1",
  to: "n2",
  reason: "overload",
  because: "test",
  mode: "auto",
};

/** As much of a picture as matters here: wishes that are fulfilled, by node and when they were made. */
const pictureOf = (askedAt: Record<string, number>) =>
  ({
    reading: {
      nodes: [],
      flagDates: new Map(),
      homecomings: new Map(Object.entries(askedAt).map(([node, at]) => [node, { askedAt: at, workloads: ["w"] }])),
    },
    requests: new Map(),
    snapshot: { homecomings: [] },
  }) as unknown as FleetPicture;

describe("leadership", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  const leases: Lease[] = [];
  const compete = (holder: string, options: Partial<LeaseOptions> = {}) => {
    const lease = holdLease(server.connect(), keys, { holder, url: `http://${holder}`, leaseSeconds: 1, ...options });
    leases.push(lease);
    return lease;
  };

  before(async () => {
    server = await startRedis();
    redis = server.connect();
  });
  afterEach(async () => {
    await Promise.all(leases.splice(0).map((lease) => lease.close()));
    await redis.flushall();
  });
  after(() => server.close());

  it("belongs to exactly one of several competitors", async () => {
    const all = ["a", "b", "c"].map((holder) => compete(holder));
    await waitFor("a leader", () => all.some((lease) => lease.term() !== null));
    expect(all.filter((lease) => lease.term() !== null)).to.have.length(1);
    expect((await readLeader(redis, keys)).holder).to.match(/^[abc]$/);
  });

  it("passes on under a higher term as soon as it is given back", async () => {
    const first = compete("a", { leaseSeconds: 60 });
    await waitFor("a to lead", () => first.term() === 1);
    await first.close();
    const second = compete("b");
    await waitFor("b to lead", () => second.term() === 2);
    expect(first.term()).to.equal(null);
  });

  it("passes on when its holder falls silent, and the term outlives the lapse", async () => {
    await redis.hset(keys.leader, { holder: "dead", term: 41, expiresAt: Date.now() + 300, url: "" });
    const heir = compete("b");
    await waitFor("b to lead", () => heir.term() !== null);
    expect(heir.term()).to.equal(42);
  });

  it("is lost at the next renewal when another has taken it", async () => {
    const seen: (number | null)[] = [];
    const robbed = compete("a", { leaseSeconds: 3, onChange: (term) => void seen.push(term) });
    await waitFor("a to lead", () => robbed.term() !== null);
    await redis.hset(keys.leader, { holder: "thief", term: 9, expiresAt: Date.now() + 60_000 });
    await waitFor("a to say that it stands down", () => seen.at(-1) === null);
    expect(robbed.term()).to.equal(null);
    expect(seen).to.deep.equal([1, null]);
    expect((await readLeader(redis, keys)).holder).to.equal("thief");
  });

  it("is no longer believed once the lease is over, though Redis cannot be asked", async () => {
    const lonely = await startRedis();
    try {
      const lease = holdLease(lonely.connect(), keys, { holder: "a", url: "", leaseSeconds: 1 });
      await waitFor("a to lead", () => lease.term() !== null);
      process.kill(lonely.pid, "SIGSTOP");
      try {
        await waitFor("a to stop believing", () => lease.term() === null);
      } finally {
        process.kill(lonely.pid, "SIGCONT");
      }
      await lease.close();
    } finally {
      await lonely.close();
    }
  });

  const refused = async (write: Promise<unknown>) => {
    const error = await write.then(
      () => null,
      (thrown: { code: string }) => thrown,
    );
    expect(error?.code).to.equal("FENCED");
  };

  it("fences every write of a leader whose term is over", async () => {
    await redis.hset(keys.leader, { holder: "new", term: 8, expiresAt: Date.now() + 60_000 });
    await refused(writePlan(redis, keys, { ...plan, term: 7 }));
    await refused(createMigration(redis, keys, migration, 1, 7));
    await refused(recordAudit(redis, keys, { at: 1, kind: "verdict", detail: "" }, 7));
    expect(await readPlan(redis, keys)).to.equal(null);
    expect(await redis.exists(keys.openMigrations, keys.audit)).to.equal(0);
    await writePlan(redis, keys, { ...plan, term: 8 });
    expect((await readPlan(redis, keys))?.term).to.equal(8);
  });

  it("lets a leader whose term is over call off, deliver and forget nothing either", async () => {
    await createMigration(redis, keys, migration, 1, 0);
    const record = (await readMigration(redis, keys, "m-1"))!;
    await redis.hset(keys.homecomings, "n1", JSON.stringify({ askedAt: 1, workloads: ["w"] }));
    await redis.hset(keys.leader, { holder: "new", term: 8, expiresAt: Date.now() + 60_000 });
    const jobs = makeMigrationJobs(server.connect(), keys);
    const late = { redis, keys, jobs, term: 7 };
    const fulfilled = pictureOf({ n1: 1 });
    try {
      await refused(cancelMigration(late, record, "no longer wanted"));
      await refused(settleLostSources(late, () => false));
      await refused(recoverJobs(late, [record], 1000));
      await refused(endHomecomings(late, fulfilled));
      await refused(noteFlagDates(late, { ...fulfilled, undatedFlags: new Map([["n1 flag disk", 1]]) }));
      expect(await redis.keys(`${keys.queuePrefix}*`)).to.deep.equal([]);
      expect(await readMigration(redis, keys, "m-1")).to.include({ outcome: "pending", closedAt: null });
      expect(await redis.hlen(keys.homecomings)).to.equal(1);
      expect(await redis.exists(keys.flagDates)).to.equal(0);
      await endHomecomings({ ...late, term: 8 }, fulfilled);
      expect(await redis.hlen(keys.homecomings)).to.equal(0);
    } finally {
      await jobs.close();
    }
  });

  it("does not forget a wish that an operator has made since the fleet was looked at", async () => {
    await redis.hset(keys.homecomings, "n1", JSON.stringify({ askedAt: 2.5, workloads: ["w"] }));
    await endHomecomings({ redis, keys, term: 8 }, pictureOf({ n1: 1 }));
    expect(await redis.hlen(keys.homecomings)).to.equal(1);
    await endHomecomings({ redis, keys, term: 8 }, pictureOf({ n1: 2.5 }));
    expect(await redis.hlen(keys.homecomings)).to.equal(0);
  });
});
