import { execFile } from "node:child_process";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { listMigrations } from "../../../platform/migration-record.js";
import { projectPath } from "../../../platform/paths.js";
import type { Answers } from "../../../scheduler/api-shapes.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { OPERATOR_TOKEN, type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("`evenkeel approve`", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const env = { PATH: process.env["PATH"], EVENKEEL_URL: scheduler.url, EVENKEEL_TOKEN: OPERATOR_TOKEN };
      execFile(projectPath("bin/evenkeel"), args, { env }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });

  const approvePlanned = (word: (workload: Answers["workloads"]["workloads"][number]) => string) =>
    // A busy machine may push late, and then the plan is another for a tick.
    waitFor("the approval", async () => {
      const { plan } = await scheduler.get<Answers["plan"]>("/api/v1/plan");
      const { workloads } = await scheduler.get<Answers["workloads"]>("/api/v1/workloads");
      const planned = workloads.find(({ id }) => id === plan?.moves[0]?.workload);
      return planned !== undefined && (await run("approve", word(planned))).out.startsWith("Started m-") && planned.name;
    });

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: ["burn", "web", "db"].map((name) => ({ name, cpuUsedCores: 1.25 })) },
      { id: "n2", workloads: [] },
      { id: "n3", workloads: [] },
    ]);
    await fleet.pushPast(15, 1);
    fleet.keepPushing();
    const policies = { overload: { holdSeconds: 2, settleSeconds: 0 } };
    scheduler = await runScheduler(server, { scheduler: { mode: "approve" }, policies });
    await waitFor("a move that is held back", async () => (await run("plan")).out.includes("mode approve: waits for an operator"));
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  it("makes what is held back, once", async () => {
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
    // Never moved before: how fast it writes its memory is not known, and shown so.
    await waitFor("the cost of the move", async () =>
      /^(burn|web|db) +stopcopy +256 MiB +\? +3\.\d\d s +3\.\d\d s +\? +its size and the link +precopy \d\.\d\d s, but changes of its memory are not measured$/m.test(
        (await run("plan", "--explain")).out,
      ),
    );
    const ended = await run("approve");
    expect(ended.code).to.equal(0);
    const [record, ...more] = await listMigrations(redis, keys);
    expect(more).to.deep.equal([]);
    expect(record).to.include({ from: "n1", reason: "overload", approved: true });
    expect(ended.out).to.match(new RegExp(`^Started ${record!.id}\\.\\n${record!.name} to ${record!.to}: .+\\.\\n$`));
    await waitFor("nothing more to do", async () => !(await run("plan")).out.includes("waits for an operator"));
    expect((await run("approve")).out).to.equal("Nothing was held back.\n");
  });

  it("makes the moves of the workloads that are named, and knows when there is none", async () => {
    const refused = await run("approve", "cache");
    expect([refused.code, refused.err.includes("nothing of cache is held back")]).to.deep.equal([2, true]);
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
    const name = await approvePlanned(({ name: planned }) => planned);
    expect((await listMigrations(redis, keys)).map((record) => record.name)).to.deep.equal([name]);
  });

  it("counts all that move as one as started", async () => {
    for (const each of fleet.node("n1").workloads) if (each.name !== "db") each.labels = { "io.evenkeel.group": "shop" };
    fleet.node("n1").ailsOf = "disk-failing";
    const started = await waitFor("an approval of both", async () => {
      const { out } = await run("approve");
      return out.includes("burn to ") && out.includes("web to ") && out;
    });
    expect(started).to.not.contain("is not moved");
    expect((await listMigrations(redis, keys)).map(({ name }) => name)).to.include.members(["burn", "web"]);
  });

  it("takes the first six characters of a container id for the workload, and no fewer", async () => {
    const words = ["burn", "web", "db"].map((each) => containerIdOf(each).slice(0, 5));
    for (const word of words) expect((await run("approve", word)).err).to.contain(`nothing of ${word} is held back`);
    const name = await approvePlanned(({ containerId }) => containerId.slice(0, 6));
    expect((await listMigrations(redis, keys)).map((record) => record.name)).to.deep.equal([name]);
  });
});
