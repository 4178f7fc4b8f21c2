import { expect } from "chai";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { listMigrations } from "../../../platform/migration-record.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";

const NAMES = ["db1", "db2", "db3", "db4", "db5", "db6"];

describe("moves that are asked for at the same moment", () => {
  let server: ThrowAwayRedis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  beforeEach(async () => {
    server = await startRedis();
    keys = makeKeys();
    const labels = { "io.evenkeel.anti-affinity": "db" };
    fleet = reportFleet(server.connect(), keys, [
      { id: "n1", workloads: NAMES.map((name) => ({ name, labels })) },
      { id: "n2", workloads: [] },
    ]);
    await fleet.pushPast(5, 1);
    fleet.keepPushing();
    scheduler = await runScheduler(server);
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  it("are each decided on what the one before has begun: of an anti-affinity group one alone goes to a node", async () => {
    // A reading is then under way when they come, so that all of them would wait for the next one and share it.
    await server.connect().client("PAUSE", 300, "ALL");
    const reading = scheduler.get("/api/v1/drains/n1");
    const answers = await Promise.all(NAMES.map((workload) => scheduler.send("POST", "/api/v1/migrations", { workload, to: "n2" })));
    await reading;
    const refused = answers.filter(({ status }) => status !== 201).map(({ body }) => body.error.message);
    expect(refused).to.have.length(NAMES.length - 1);
    for (const message of refused) expect(message).to.contain("another workload of group db");
    expect(await listMigrations(server.connect(), keys)).to.have.length(1);
  });
});
