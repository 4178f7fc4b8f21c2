import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { createMigration, listMigrations, readMigration } from "../../../platform/migration-record.js";
import { foresee } from "../../../policies/what-if/foresee.js";
import { imagine } from "../../../policies/what-if/imagine.js";
import type { SnapshotAnswer } from "../../../scheduler/api-shapes.js";
import type { DrainReport } from "../../../scheduler/fleet/drain-report.js";
import type { PublishedPlan } from "../../../scheduler/plan-store.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, type ReportedFleet, reportFleet, reportOfExecutor } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const API = "/api/v1";
/** As an executor that fell silent left it. */
const LONG_SECONDS = 60;

describe("a node that reports, and whose executor does not", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  const skipOf = async (name: string) => {
    const { plan } = await scheduler.get<{ plan: PublishedPlan | null }>(`${API}/plan`);
    return plan?.skips.find(({ workload }) => workload === containerIdOf(name));
  };
  const run = async (nodes: Parameters<typeof reportFleet>[2]) => {
    fleet = reportFleet(redis, keys, nodes);
    await fleet.pushPast(5, 1);
    fleet.keepPushing();
    scheduler = await runScheduler(server, { scheduler: { mode: "auto" } });
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  it("is not drained by moves that nobody would take up, and says so; it is as soon as its executor is heard", async () => {
    await redis.hset(keys.maintenance, "n1", "disk");
    await run([
      { id: "n1", workloads: [{ name: "web" }], hasExecutor: false },
      { id: "n2", workloads: [] },
    ]);
    const skip = await waitFor("the reason", async () => skipOf("web"));
    expect(skip).to.include({
      reason: "executor-silent",
      because: "The executor of n1 has not been heard, or not for a while: nobody there could move it.",
    });
    const { drain } = await scheduler.get<{ drain: DrainReport }>(`${API}/drains/n1`);
    expect(drain.remaining[0]).to.include({ status: "blocked", because: skip.because });
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
    await waitFor("it to be counted", async () =>
      (await scheduler.registry.getSingleMetricAsString("evenkeel_skips_total")).includes('reason="executor-silent"'),
    );
    const refused = await scheduler.send("POST", `${API}/migrations`, { workload: "web", to: "n2" });
    expect(refused.body.error).to.include({ code: "MOVE_REFUSED" });
    fleet.node("n1").hasExecutor = true;
    await waitFor("the drain to begin", async () => (await listMigrations(redis, keys)).length === 1);
  });

  it("hears of CPUs from executors, and sends nothing to one that could not go on with it", async () => {
    await redis.hset(keys.maintenance, "n1", "disk");
    await run([
      { id: "n1", workloads: [{ name: "web" }], cpu: { cpuKind: "new", refusedCpus: [] } },
      { id: "n2", workloads: [], cpu: { cpuKind: "old", refusedCpus: ["new"] } },
    ]);
    const skip = await waitFor("the reason", async () => skipOf("web"));
    expect(skip).to.include({ to: "n2", reason: "target-cpu-differs" });
    fleet.node("n2").cpu = { cpuKind: "new", refusedCpus: [] };
    await waitFor("the drain to begin", async () => (await listMigrations(redis, keys)).length === 1);
  });

  it("hears from collectors what binds workloads to their nodes, and plans, foresees and begins no move of them", async () => {
    await redis.hset(keys.maintenance, "n1", "disk");
    const because = "Volume data is also used by backup";
    await run([
      { id: "n1", workloads: [{ name: "web", boundBy: [{ code: "volume-shared", because }] }] },
      { id: "n2", workloads: [] },
    ]);
    const skip = await waitFor("the reason", async () => skipOf("web"));
    const words = `It is bound to n1 by what it mounts (volume-shared: ${because}).`;
    expect(skip).to.include({ to: null, reason: "workload-bound", because: words });
    const { drain } = await scheduler.get<{ drain: DrainReport }>(`${API}/drains/n1`);
    expect(drain.remaining[0]).to.include({ status: "blocked", because: words });
    const refused = await scheduler.send("POST", `${API}/migrations`, { workload: "web", to: "n2" });
    expect(refused.body.error).to.include({ code: "MOVE_REFUSED" });
    expect(refused.body.error.facts).to.include({ reason: "workload-bound", to: "n2" });
    const { snapshot, policies } = await scheduler.get<SnapshotAnswer>(`${API}/snapshot`);
    expect(foresee(imagine(snapshot, { drain: ["n1"] }), policies, snapshot.at).moves).to.deep.equal([]);
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
    fleet.node("n1").workloads[0]!.boundBy = [];
    await waitFor("the drain to begin", async () => (await listMigrations(redis, keys)).length === 1);
  });

  it("gets nothing either", async () => {
    await redis.hset(keys.maintenance, "n1", "disk");
    await run([
      { id: "n1", workloads: [{ name: "web" }] },
      { id: "n2", workloads: [], hasExecutor: false },
    ]);
    const skip = await waitFor("the reason", async () => skipOf("web"));
    expect(skip).to.include({ to: "n2", reason: "executor-silent" });
  });

  it("keeps no place in a queue: what waits for it is called off", async () => {
    await redis.hset(keys.executors, "n1", reportOfExecutor(Date.now() / 1000 - LONG_SECONDS));
    await run([
      { id: "n1", workloads: [{ name: "web" }], hasExecutor: false },
      { id: "n2", workloads: [] },
    ]);
    const workload = containerIdOf("web");
    const record = {
      id: "m-1",
      workload,
      name: "web",
      containerId: workload,
      from: "n1",
      to: "n2",
      reason: "operator",
      because: "",
      mode: "auto",
    };
    await createMigration(redis, keys, record, Date.now() / 1000, 0);
    const closed = await waitFor("it to be called off", async () => {
      const found = await readMigration(redis, keys, "m-1");
      return found?.closedAt != null && found;
    });
    expect(closed).to.include({ result: "cancelled" });
    expect(closed.errorMessage).to.contain("The executor of n1");
  });
});
