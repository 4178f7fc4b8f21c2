import { expect } from "chai";
import type { Redis } from "ioredis";
import { makeKeys } from "../../../platform/keys.js";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  createMigration,
  type MigrationRecord,
} from "../../../platform/migration-record.js";
import { startMigration } from "../../../scheduler/act/start-migration.js";
import { buildPicture } from "../../../scheduler/fleet/build-snapshot.js";
import { rememberFirstSeen } from "../../../scheduler/fleet/maintenance.js";
import { makeFleetMemory, readFleet } from "../../../scheduler/fleet/read-fleet.js";
import { rememberRecentUse } from "../../../scheduler/fleet/recent-use.js";
import { rememberLoads } from "../../../scheduler/fleet/remember-loads.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, reportFleet } from "../../support/reported-fleet.js";

const keys = makeKeys();
const now = () => Date.now() / 1000;
const workload = containerIdOf("a");

describe("reading the fleet", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    const fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [] },
    ]);
    await fleet.push();
    const migration = {
      id: "m-1",
      workload,
      name: "a",
      containerId: workload,
      from: "n1",
      to: "n2",
      reason: "operator",
      because: "",
      mode: "auto",
    };
    await createMigration(redis, keys, migration, now(), 0);
  });
  afterEach(() => server.close());

  const finish = async () => {
    const record = (await claimMigration(redis, keys, "m-1", now())) as MigrationRecord;
    await advanceMigration(redis, keys, now(), { id: "m-1", epoch: record.epoch, stage: "restore" });
    expect(await commitMigration(redis, keys, "m-1", record.epoch, now())).to.equal(true);
    await closeMigration(redis, keys, record, now(), { result: "succeeded" });
  };
  /** The same connection, but the migration ends right after the first command of this name has been answered. */
  const finishAfter = (command: string) => {
    let done = false;
    return new Proxy(redis, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        const call = value.bind(target) as (...args: unknown[]) => unknown;
        if (name !== command) return call;
        return async (...args: unknown[]) => {
          const reply = await call(...args);
          if (!done) {
            done = true;
            await finish();
          }
          return reply;
        };
      },
    });
  };
  const picture = async (from: Redis) => {
    const reading = await readFleet(from, keys, {
      at: now(),
      sampleTtlSeconds: 20,
      historyLength: 10,
      horizonSeconds: null,
      memory: makeFleetMemory(),
    });
    return buildPicture(reading, {
      windows: [],
      onlyAsked: false,
      firstSeen: rememberFirstSeen(),
      loads: rememberLoads(),
      remembered: new Map(),
      endedNames: new Map(),
      recentUse: rememberRecentUse(),
      smoothingSeconds: 20,
      powerSaving: null,
      powerDeadlineSeconds: 300,
      sampleTtlSeconds: 20,
    });
  };

  for (const command of ["zrange", "mget", "smembers", "hgetall", "zrevrange"]) {
    it(`never takes a workload for standing still where it was when its move ends during ${command}`, async () => {
      const { snapshot, placed } = await picture(finishAfter(command));
      const isOpen = snapshot.migrations.some((migration) => migration.workload === workload);
      expect(isOpen || placed.find(({ id }) => id === workload)?.node === "n2").to.equal(true);
    });
  }

  it("starts no move of a workload that has moved since the picture was taken", async () => {
    const before = await picture(redis);
    await finish();
    const nothing = async () => {};
    const add = async () => expect.fail("no job may be added");
    const jobs = { add, restore: async () => false, remove: nothing, keepOnly: nothing, close: nothing };
    const move = { workload, from: "n1", to: "n2", reason: "operator", because: "" } as const;
    const error = await startMigration({ redis, keys, jobs, term: 0 }, before, move).then(
      () => null,
      (thrown: { code: string }) => thrown,
    );
    expect(error?.code).to.equal("WORKLOAD_MIGRATING");
    expect(await redis.scard(keys.openMigrations)).to.equal(0);
  });
});
