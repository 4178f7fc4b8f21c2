import { expect } from "chai";
import type { Redis } from "ioredis";
import { renewReservation } from "../../../executor/migration/reserve.js";
import type { Reservation } from "../../../executor/protocol.js";
import { nowSeconds } from "../../../platform/clock.js";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { abortMigration, closeMigration } from "../../../platform/migration-record.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { mustRead, open } from "../record/a-migration.js";

describe("What is reserved for a migration", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    await open(redis, keys, "m1");
  });
  afterEach(() => server.close());

  const renew = async () => renewReservation({ redis, keys }, await mustRead(redis, keys, "m1"));
  const read = async (): Promise<Reservation | null> => JSON.parse((await redis.hget(keys.reservations("node2"), "m1")) ?? "null");

  it("counts on as long as it is carried out, however long that takes", async () => {
    const held: Reservation = {
      migrationId: "m1",
      workload: "shop",
      cpuCores: 0.25,
      memoryBytes: 3 * 2 ** 40,
      expiresAt: nowSeconds() + 5,
    };
    await redis.hset(keys.reservations("node2"), "m1", JSON.stringify(held));
    expect(await renew()).to.equal(true);
    const { expiresAt, ...rest } = (await read())!;
    expect(expiresAt).to.be.greaterThan(nowSeconds() + 3000);
    expect({ ...rest, expiresAt: held.expiresAt }).to.deep.equal(held);
  });

  it("is not held again once the record is closed, nor for one that never had room", async () => {
    expect(await renew()).to.equal(false);
    await redis.hset(keys.reservations("node2"), "m1", "{}");
    await abortMigration(redis, keys, "m1", 8, "a test");
    await closeMigration(redis, keys, await mustRead(redis, keys, "m1"), 9, { result: "failed" });
    expect(await renew()).to.equal(false);
    expect(await read()).to.equal(null);
  });
});
