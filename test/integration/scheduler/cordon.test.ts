import { execFile } from "node:child_process";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { listMigrations } from "../../../platform/migration-record.js";
import { projectPath } from "../../../platform/paths.js";
import type { CordonAnswer, NodeAnswer, SnapshotAnswer, StatusAnswer } from "../../../scheduler/api-shapes.js";
import type { AuditEntry } from "../../../scheduler/audit.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { OPERATOR_TOKEN, type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("a cordon", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string }>((resolve) => {
      const env = { PATH: process.env["PATH"], EVENKEEL_URL: scheduler.url, EVENKEEL_TOKEN: OPERATOR_TOKEN };
      execFile(projectPath("bin/evenkeel"), args, { env }, (error, out) => resolve({ code: error === null ? 0 : Number(error.code), out }));
    });
  const nodeOf = async (id: string) =>
    (await scheduler.get<{ nodes: NodeAnswer[] }>(`${API_BASE}/nodes`)).nodes.find((node) => node.id === id)!;
  const cordonsOf = async (id: string) => (await nodeOf(id)).cordon.map(({ source, reason }) => `${source} ${reason}`);
  const isCordoned = (id: string) => waitFor(`${id} to be cordoned`, async () => (await cordonsOf(id)).length > 0);

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [{ name: "b" }] },
      { id: "n3", workloads: [{ name: "c", cpuUsedCores: 1 }] },
    ]);
    await fleet.pushPast(5, 1);
    fleet.keepPushing();
    scheduler = await runScheduler(server, { scheduler: { mode: "auto" } });
    await waitFor("a plan", () => redis.get(keys.plan));
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  for (const [how, set] of [
    ["the API", () => scheduler.send("PUT", `${API_BASE}/nodes/n2/cordon`, { reason: "noise" })],
    ["redis-cli", () => redis.hset(keys.cordons, "n2", "noise")],
    ["the command line", () => run("cordon", "n2", "--reason", "noise")],
    [
      "a file on the node",
      () => {
        fleet.node("n2").cordonFile = "noise";
      },
    ],
  ] as const) {
    it(`set by ${how} keeps newcomers away, and takes nothing from the node`, async () => {
      await set();
      await isCordoned("n2");
      expect((await cordonsOf("n2")).map((words) => words.split(" ")[1])).to.deep.equal(["noise"]);
      const asked = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" });
      expect([asked.status, asked.body.error.facts["reason"]]).to.deep.equal([409, "target-cordoned"]);
      expect(asked.body.error.message).to.contain("n2 is cordoned (noise)");
      // The emptiest of the others is n2; what leaves n1 goes to n3 all the same.
      await scheduler.send("PUT", `${API_BASE}/nodes/n1/maintenance`, {});
      const [record] = await waitFor("the move", async () => {
        const records = await listMigrations(redis, keys);
        return records.length > 0 && records;
      });
      expect(record).to.include({ name: "a", to: "n3" });
      expect((await listMigrations(redis, keys)).filter(({ from, to }) => from === "n2" || to === "n2")).to.deep.equal([]);
      expect(await nodeOf("n2")).to.include({ state: "level", workloads: 1, drain: null });
    });
  }

  it("calls off what is on its way there and has not been begun", async () => {
    await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" });
    const begun = (await listMigrations(redis, keys, 0))[0]!;
    await run("cordon", "n2", "--reason", "noise");
    await waitFor("the move to be called off", async () => (await listMigrations(redis, keys, 0)).length === 0);
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit?limit=200`);
    const [told] = entries.filter(({ kind }) => kind === "move-withdrawn");
    expect([told?.migration, told?.detail]).to.deep.equal([begun.id, "n2 is cordoned (noise)."]);
  });

  it("is shown, audited, in the snapshot that is recorded, and over when it is lifted", async () => {
    const put = (await scheduler.send("PUT", `${API_BASE}/nodes/n2/cordon`, { reason: "noise" })).body as unknown as CordonAnswer;
    expect(put.cordon.map(({ source, reason }) => [source, reason])).to.deep.equal([["flag", "noise"]]);
    const again = (await scheduler.send("PUT", `${API_BASE}/nodes/n2/cordon`, { reason: "smell" })).body as unknown as CordonAnswer;
    expect(again.cordon.map(({ since, reason }) => [since, reason])).to.deep.equal([[put.cordon[0]!.since, "smell"]]);
    await waitFor("the nodes' list to say so", async () => /^n2 +level, cordoned .*cordoned \(smell\)\.$/m.test((await run("nodes")).out));
    expect((await run("status")).out).to.contain("3 level; 1 cordoned");
    expect((await scheduler.get<StatusAnswer>(`${API_BASE}/status`)).cordoned).to.equal(1);
    const { snapshot } = await scheduler.get<SnapshotAnswer>(`${API_BASE}/snapshot`);
    expect(snapshot.nodes.map(({ cordoned, cordonedBecause }) => [cordoned, cordonedBecause])).to.deep.equal([
      [undefined, undefined],
      [true, "smell"],
      [undefined, undefined],
    ]);
    const metrics = async () => (await fetch(`${scheduler.url}/metrics`)).text();
    await waitFor("its series", async () => (await metrics()).includes('evenkeel_node_cordoned{node="n2"} 1'));
    expect(await metrics()).to.contain('evenkeel_node_cordoned{node="n1"} 0');
    expect(await run("uncordon", "n2")).to.deep.equal({ code: 0, out: "n2 takes workloads again.\n" });
    expect((await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" })).status).to.equal(201);
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit?limit=200`);
    const told = entries.filter(({ kind }) => kind.startsWith("cordon")).map(({ kind, node, detail }) => `${kind} ${node} ${detail}`);
    expect(told).to.deep.equal(["cordon-off n2 cordon lifted", "cordon-on n2 smell", "cordon-on n2 noise"]);
  });

  it("and a drain are two things: neither lifts the other, and each command says what still stands", async () => {
    await run("cordon", "n2", "--reason", "noise");
    await run("drain", "n2", "--reason", "disk");
    const early = await run("uncordon", "n2");
    expect([early.code, early.out]).to.deep.equal([
      4,
      "n2 gets nothing new while it is under maintenance, by a flag (disk): evenkeel undrain n2\n",
    ]);
    await run("cordon", "n2", "--reason", "noise");
    const back = await run("undrain", "n2");
    expect(back.code).to.equal(0);
    expect(back.out).to.contain("n2 is still cordoned (noise), and gets nothing new: evenkeel uncordon n2");
    expect(await cordonsOf("n2")).to.deep.equal(["flag noise"]);
    fleet.node("n2").cordonFile = "on site";
    await waitFor("the file to be seen", async () => (await cordonsOf("n2")).length === 2);
    const file = await run("uncordon", "n2");
    expect([file.code, file.out]).to.deep.equal([4, "n2 stays cordoned: a file still asks for it (on site).\n"]);
  });

  it("goes with a node that is forgotten", async () => {
    await redis.hset(keys.cordons, "n3", "noise");
    await fleet.stop();
    await waitFor("n3 to be silent", async () => (await redis.del(keys.nodeSample("n3"))) === 0);
    await redis.hdel(keys.executors, "n3");
    expect((await scheduler.send("DELETE", `${API_BASE}/nodes/n3`)).status).to.equal(200);
    expect(await redis.hlen(keys.cordons)).to.equal(0);
  });
});
