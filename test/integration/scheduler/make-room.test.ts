import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  listMigrations,
  type MigrationRecord,
} from "../../../platform/migration-record.js";
import type { Answers } from "../../../scheduler/api-shapes.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const GIBIBYTE = 2 ** 30;
const sized = (name: string, gibibytes: number) => ({ name, memoryUsedBytes: gibibytes * GIBIBYTE });
const still = { ...sized("still", 3.2), labels: { "io.evenkeel.mode": "never" } };

describe("a drain for which others make room", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  const openMigration = () => waitFor("a migration", async () => (await listMigrations(redis, keys, 0))[0]);
  /** What executors do to the record and to where the container runs. */
  const finish = async (record: MigrationRecord) => {
    const now = Date.now() / 1000;
    const { epoch } = (await claimMigration(redis, keys, record.id, now))!;
    await advanceMigration(redis, keys, now, { id: record.id, epoch, stage: "restore", fields: { blackoutSeconds: 0.2 } });
    expect(await commitMigration(redis, keys, record.id, epoch, Date.now() / 1000)).to.equal(true);
    const from = fleet.node(record.from);
    const moved = from.workloads.find(({ name }) => name === record.name)!;
    from.workloads = from.workloads.filter((workload) => workload !== moved);
    fleet.node(record.to).workloads.push(moved);
    await closeMigration(redis, keys, record, Date.now() / 1000, { result: "succeeded" });
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    // Nodes of 8 GiB that may hold 7.2: `big`, with its images, fits nowhere, and no single one of n2's would leave it enough.
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [sized("big", 1.5)] },
      { id: "n2", workloads: [still, sized("a", 1.2), sized("b", 1), sized("c", 1)] },
      { id: "n3", workloads: [sized("d", 5)] },
      { id: "n4", workloads: [sized("e", 5)] },
    ]);
    await fleet.pushPast(10, 1);
    fleet.keepPushing();
    scheduler = await runScheduler(server, { policies: { overload: { holdSeconds: 1, settleSeconds: 2 } } });
    await waitFor("a plan", () => redis.get(keys.plan));
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  it("moves two on, one after the other, then its own, and calls nothing blocked meanwhile", async () => {
    await scheduler.send("PUT", "/api/v1/nodes/n1/maintenance", {});
    const routes: string[] = [];
    for (let count = 0; count < 3; count++) {
      const record = await openMigration();
      routes.push(`${record.name} ${record.from}>${record.to} ${record.reason}`);
      if (record.name !== "big") {
        await waitFor("what is left to be told", async () => {
          const { drain } = await scheduler.get<Answers["drain"]>("/api/v1/drains/n1");
          const [left] = drain.remaining;
          return (
            left?.workload === containerIdOf("big") &&
            left.status === "waiting" &&
            left.because.startsWith("Room is being made for it on n2: ")
          );
        });
      }
      await finish(record);
    }
    expect(routes).to.deep.equal(["a n2>n3 maintenance", "b n2>n4 maintenance", "big n1>n2 maintenance"]);
    await waitFor(
      "the node to be empty",
      async () => (await scheduler.get<Answers["drain"]>("/api/v1/drains/n1")).drain.state === "drained",
    );
  });
});
