import { expect } from "chai";
import { FIRST_GUESS, kindOf, noteBlackout, readBlackoutModel, type Stood } from "../../../executor/migration/blackout-model.js";
import { makeKeys } from "../../../platform/keys.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";

const ALONE = kindOf({ members: [] }, false);
const TOGETHER = kindOf({ members: ["m1", "m2"] }, false);
const COLD = kindOf({ members: [] }, true);

describe("What moves to a node have shown of their blackout", () => {
  let server: ThrowAwayRedis;
  const where = () => ({ redis: server.connect(), keys: makeKeys(), node: "n1" });
  const stood = (kind: Stood["kind"], blackoutSeconds: number, more: Partial<Stood> = {}): Stood => ({
    kind,
    blackoutSeconds,
    stopSeconds: 0,
    frozenBytes: 0,
    ...more,
  });
  const fixedSeconds = async (kind: Stood["kind"], to = "n2") => (await readBlackoutModel(where(), to, kind)).fixedSeconds;

  beforeEach(async () => {
    server = await startRedis();
  });
  afterEach(() => server.close());

  it("of a cold move teaches nothing of those that stay alive, nor they of it", async () => {
    await noteBlackout(where(), "n2", stood(COLD, 12));
    expect(await fixedSeconds(ALONE)).to.equal(FIRST_GUESS.fixedSeconds);
    expect(await fixedSeconds(TOGETHER)).to.equal(FIRST_GUESS.fixedSeconds);
    const cold = await fixedSeconds(COLD);
    expect(cold).to.be.greaterThan(FIRST_GUESS.fixedSeconds);
    await noteBlackout(where(), "n2", stood(ALONE, 0.2));
    expect(await fixedSeconds(ALONE)).to.be.lessThan(FIRST_GUESS.fixedSeconds);
    expect(await fixedSeconds(COLD)).to.equal(cold);
  });

  it("leaves out how long a program took to end, which is its own doing", async () => {
    await noteBlackout(where(), "n2", stood(COLD, 12, { stopSeconds: 12 - FIRST_GUESS.fixedSeconds }));
    expect(await fixedSeconds(COLD)).to.be.closeTo(FIRST_GUESS.fixedSeconds, 1e-9);
  });

  it("of those that wait for each other begins as it is for one alone, and teaches that nothing", async () => {
    await noteBlackout(where(), "n2", stood(ALONE, 0.2));
    const alone = await fixedSeconds(ALONE);
    expect(await fixedSeconds(TOGETHER)).to.equal(alone);
    await noteBlackout(where(), "n2", stood(TOGETHER, 3));
    expect(await fixedSeconds(TOGETHER)).to.be.greaterThan(alone);
    expect(await fixedSeconds(ALONE)).to.equal(alone);
  });

  it("is dropped with a destination that has been forgotten", async () => {
    const { redis, keys } = where();
    const destinations = async () => (await redis.hkeys(keys.blackoutModel("n1"))).sort();
    await redis.zadd(keys.nodes, 1, "n1", 1, "n2", 1, "n3");
    for (const kind of [ALONE, TOGETHER, COLD]) {
      await noteBlackout(where(), "n2", stood(kind, 1));
      await noteBlackout(where(), "n3", stood(kind, 1));
    }
    expect(await destinations()).to.deep.equal(["cold n2", "cold n3", "n2", "n3", "together n2", "together n3"]);
    await redis.zrem(keys.nodes, "n2");
    await noteBlackout(where(), "n3", stood(ALONE, 1));
    expect(await destinations()).to.deep.equal(["cold n3", "n3", "together n3"]);
  });

  it("is kept for each destination, by what crossed in the freeze", async () => {
    const much = 400 << 20;
    await noteBlackout(where(), "n2", stood(ALONE, FIRST_GUESS.fixedSeconds + 1, { frozenBytes: much }));
    const { fixedSeconds: unchanged, bytesPerSecond } = await readBlackoutModel(where(), "n2", ALONE);
    expect(unchanged).to.equal(FIRST_GUESS.fixedSeconds);
    expect(bytesPerSecond).to.be.closeTo(0.7 * FIRST_GUESS.bytesPerSecond + 0.3 * much, 1);
    expect(await readBlackoutModel(where(), "n3", ALONE)).to.deep.equal(FIRST_GUESS);
  });
});
