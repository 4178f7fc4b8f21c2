import { execFile } from "node:child_process";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { createMigration, listMigrations, readMigration } from "../../../platform/migration-record.js";
import { projectPath } from "../../../platform/paths.js";
import type { StatusAnswer } from "../../../scheduler/api-shapes.js";
import type { AuditEntry } from "../../../scheduler/audit.js";
import type { PublishedPlan } from "../../../scheduler/plan-store.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { OPERATOR_TOKEN, type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const POLICIES = { overload: { holdSeconds: 2, settleSeconds: 0 }, balance: { enabled: true } };

describe("a pause of the fleet", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  const start = async () => {
    scheduler = await runScheduler(server, { scheduler: { mode: "auto" }, policies: POLICIES });
  };
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string }>((resolve) => {
      const env = { PATH: process.env["PATH"], EVENKEEL_URL: scheduler.url, EVENKEEL_TOKEN: OPERATOR_TOKEN };
      execFile(projectPath("bin/evenkeel"), args, { env }, (error, out) => resolve({ code: error === null ? 0 : Number(error.code), out }));
    });
  const status = () => scheduler.get<StatusAnswer>(`${API_BASE}/status`);
  const held = () =>
    waitFor("a move that is held back", async () => {
      const { plan } = await scheduler.get<{ plan: PublishedPlan | null }>(`${API_BASE}/plan`);
      return plan?.moves.find(({ heldBack }) => heldBack !== null);
    });
  const metric = async () => /^evenkeel_paused (\d)$/m.exec(await (await fetch(`${scheduler.url}/metrics`)).text())?.[1];
  /** A move that waits in its queue. */
  const open = async (id: string, name: string, createdAt: number, more: { approved?: true } = {}) => {
    const workload = containerIdOf(name);
    const record = { id, workload, name, containerId: workload, from: "n2", to: "n3", reason: "balance", because: "", mode: "auto" };
    await createMigration(redis, keys, { ...record, ...more }, createdAt, 0);
  };
  const endOf = async (id: string) => {
    const record = await readMigration(redis, keys, id);
    return record?.closedAt == null ? null : record.errorMessage;
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: ["burn", "web", "db"].map((name) => ({ name, cpuUsedCores: 1.2 })) },
      { id: "n2", workloads: ["a", "b", "c"].map((name) => ({ name })) },
      { id: "n3", workloads: [] },
    ]);
    await fleet.pushPast(15, 1);
    fleet.keepPushing();
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  for (const [how, set] of [
    ["the API", () => scheduler.send("PUT", `${API_BASE}/pause`, { reason: "new switches" })],
    ["redis-cli", () => redis.set(keys.pause, "new switches")],
    ["the command line", () => run("pause", "--reason", "new switches")],
  ] as const) {
    it(`set by ${how}, holds back what nobody asks for, and shows everywhere`, async () => {
      fleet.node("n1").workloads.pop();
      // The first tick must not see it hot.
      await fleet.push();
      await start();
      await waitFor("a tick", () => redis.get(keys.plan));
      expect((await status()).pause).to.equal(null);
      expect(await metric()).to.equal("0");
      await set();
      await waitFor("the pause to be seen", async () => (await status()).pause?.reason === "new switches");
      fleet.node("n1").workloads.push({ name: "db", cpuUsedCores: 1.2 });
      expect((await held()).heldBack).to.equal("the fleet is paused (new switches)");
      await waitFor("the metric", async () => (await metric()) === "1");
      expect((await run("status")).out).to.match(/^Paused .* \(new switches\): evenkeel resume$/m);
      expect(await listMigrations(redis, keys)).to.deep.equal([]);
    });
  }

  it("lets drains go on, and what an operator asks for or approves", async () => {
    await redis.set(keys.pause, "on");
    await start();
    const { workload, to } = await held();
    const approved = await scheduler.send("POST", `${API_BASE}/plan/approve`, { moves: [{ workload, to }] });
    expect(approved.body.started).to.have.length(1);
    const asked = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n3" });
    expect(asked.status).to.equal(201);
    await scheduler.send("DELETE", `${API_BASE}/migrations/${asked.body.migration.id}`);
    await scheduler.send("DELETE", `${API_BASE}/migrations/${approved.body.started[0]}`);
    await redis.hset(keys.maintenance, "n2", "disk");
    await waitFor("the drain to begin", async () => (await listMigrations(redis, keys)).some(({ reason }) => reason === "maintenance"));
  });

  it("ends when it is told to, whoever had begun it, and what was held back is made", async () => {
    await redis.set(keys.pause, "on");
    await start();
    await held();
    const ended = await run("resume");
    expect([ended.code, ended.out]).to.deep.equal([0, "The fleet is not paused.\n"]);
    await waitFor("the move", async () => (await listMigrations(redis, keys)).some(({ from }) => from === "n1"));
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit?limit=200`);
    expect(entries.find(({ kind }) => kind === "resumed")).to.include({ actor: "operator", detail: "the pause is over" });
    expect((await scheduler.send("DELETE", `${API_BASE}/pause`, undefined, null)).status).to.equal(401);
  });

  it("calls off what waits in its queue, also what was approved before it, and not what was approved in spite of it", async () => {
    const now = Date.now() / 1000;
    await redis.set(keys.pause, JSON.stringify({ since: now - 50, reason: "new switches" }));
    await open("m-planned", "a", now - 100);
    await open("m-before", "b", now - 100, { approved: true });
    await open("m-since", "c", now - 10, { approved: true });
    await start();
    for (const id of ["m-planned", "m-before"]) {
      const why = await waitFor(`${id} to be called off`, () => endOf(id));
      expect(why).to.equal("It is held back now: the fleet is paused (new switches).");
    }
    const { planAt } = await status();
    await waitFor("more plans", async () => ((await status()).planAt ?? 0) > (planAt ?? 0) + 1);
    expect(await readMigration(redis, keys, "m-since")).to.include({ outcome: "pending" });
  });
});
