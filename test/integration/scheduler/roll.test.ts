import { expect } from "chai";
import type { Redis } from "ioredis";
import { makeKeys } from "../../../platform/keys.js";
import { leaveRoll, type RollEntry, readRoll, signRoll } from "../../../scheduler/roll.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";

const keys = makeKeys();
const one: Omit<RollEntry, "at"> = { holder: "a-1", url: "http://a", settings: "s1", everySeconds: 5 };
const another = { ...one, holder: "b-1", url: "http://b" };

describe("the roll of schedulers", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  const present = async () => (await readRoll(redis, keys)).map(({ holder }) => holder);
  /** As if it had been said that long ago. */
  const age = async ({ holder, ...entry }: Omit<RollEntry, "at">, seconds: number) =>
    redis.hset(keys.schedulers, holder, JSON.stringify({ ...entry, at: Date.now() / 1000 - seconds }));

  before(async () => {
    server = await startRedis();
    redis = server.connect();
  });
  afterEach(() => redis.flushall());
  after(() => server.close());

  it("names those that have been heard lately, until they leave", async () => {
    await signRoll(redis, keys, another);
    await signRoll(redis, keys, one);
    expect(await present()).to.deep.equal(["a-1", "b-1"]);
    await leaveRoll(redis, keys, "a-1");
    expect(await present()).to.deep.equal(["b-1"]);
  });

  it("strikes off who has been silent, and waits longer for who seldom speaks", async () => {
    await age(one, 70);
    await age({ ...another, everySeconds: 60 }, 70);
    expect(await present()).to.deep.equal(["b-1"]);
    expect(await redis.hkeys(keys.schedulers)).to.deep.equal(["b-1"]);
  });

  it("strikes off who was killed as soon as it has been started again under its URL, and what nobody understands", async () => {
    await age({ ...one, settings: "old" }, 10);
    await signRoll(redis, keys, { ...one, holder: "a-2" });
    await redis.hset(keys.schedulers, "c-1", "{}");
    expect(await present()).to.deep.equal(["a-2"]);
    expect(await redis.hkeys(keys.schedulers)).to.deep.equal(["a-2"]);
  });
});
