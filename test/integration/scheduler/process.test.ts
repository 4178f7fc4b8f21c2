import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { makeKeys } from "../../../platform/keys.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type SchedulerProcess, startSchedulerProcess } from "../../support/scheduler-process.js";
import { waitFor } from "../../support/wait-for.js";

const keys = makeKeys();

describe("the scheduler's process", () => {
  let folder: string;
  const servers: ThrowAwayRedis[] = [];
  const children: ChildProcess[] = [];

  const redisWith = async (settings: readonly string[] = []) => {
    const server = await startRedis({ settings });
    servers.push(server);
    return server;
  };
  const start = async (config: unknown): Promise<SchedulerProcess> => {
    const file = join(folder, `config-${children.length}.json`);
    await writeFile(file, JSON.stringify(config, null, 2));
    const started = startSchedulerProcess(file);
    children.push(started.child);
    return started;
  };
  const scheduler = { host: "127.0.0.1", port: 0, tickSeconds: 0.2 };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-process-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await rm(folder, { recursive: true, force: true });
  });

  it("ends on SIGTERM and gives the lease back at once", async () => {
    const server = await redisWith();
    const started = await start({ redis: { url: server.url }, scheduler: { ...scheduler, leaseSeconds: 60 } });
    await started.serving();
    const redis = server.connect();
    await waitFor(
      "it to lead",
      async () => (await redis.hget(keys.leader, "holder")) !== "" && (await redis.hget(keys.leader, "term")) === "1",
    );
    started.child.kill("SIGTERM");
    expect(await started.exit).to.equal(0);
    expect(await redis.hgetall(keys.leader)).to.deep.equal({ holder: "", term: "1", expiresAt: "0", url: "" });
  });

  it("reads its policies again on SIGHUP and goes on", async () => {
    const server = await redisWith();
    const config = { redis: { url: server.url }, scheduler };
    const started = await start(config);
    await started.serving();
    await writeFile(join(folder, "config-0.json"), JSON.stringify({ ...config, policies: { cooldownSeconds: -1 } }));
    started.child.kill("SIGHUP");
    await waitFor("the refusal in its log", () => started.log().includes("policies.cooldownSeconds"));
    expect(started.child.exitCode).to.equal(null);
  });

  it("leaves the lease to its successor when it is killed", async () => {
    const server = await redisWith();
    const config = { redis: { url: server.url }, scheduler: { ...scheduler, leaseSeconds: 5 } };
    const first = await start(config);
    await first.serving();
    const redis = server.connect();
    await waitFor("the first to lead", async () => (await redis.hget(keys.leader, "term")) === "1");
    const second = await start(config);
    await second.serving();
    first.child.kill("SIGKILL");
    await waitFor("the second to lead", async () => (await redis.hget(keys.leader, "term")) === "2");
  });

  it("answers 503 while Redis is away instead of hanging", async () => {
    const server = await redisWith();
    const url = await (await start({ redis: { url: server.url }, scheduler })).serving();
    await waitFor("health", async () => (await fetch(`${url}/healthz`)).ok);
    await server.close();
    servers.length = 0;
    const health = await waitFor("ill health", async () => {
      const response = await fetch(`${url}/healthz`);
      return response.ok ? null : response;
    });
    expect([health.status, await health.text()]).to.deep.equal([503, "Redis does not answer\n"]);
    const status = await fetch(`${url}/api/v1/status`);
    expect([status.status, ((await status.json()) as { error: { code: string } }).error.code]).to.deep.equal([503, "REDIS_UNREACHABLE"]);
  });

  it("refuses to start on a Redis that may evict its records", async () => {
    const server = await redisWith(["--maxmemory-policy", "allkeys-lru"]);
    const started = await start({ redis: { url: server.url }, scheduler });
    expect(await started.exit).to.equal(1);
    expect(started.log()).to.contain("allkeys-lru");
  });

  for (const [what, config, named] of [
    ["a setting that does not exist", { scheduler: { tickSecond: 5 } }, "line 6, scheduler.tickSecond: "],
    [
      "a policy that contradicts itself",
      { policies: { overload: { cpuFixRatio: 0.9 } } },
      "line 7, policies.overload.cpuFixRatio: must be below",
    ],
    [
      "a window that cannot be read",
      { scheduler: { windows: [{ cron: "at noon", durationMinutes: 5, action: "no-moves" }] } },
      "line 7, scheduler.windows.0: ",
    ],
    [
      "nodes that are emptied and never sleep",
      { policies: { consolidate: { enabled: true } } },
      "line 7, policies.consolidate.enabled: needs `scheduler.power`",
    ],
  ] as const) {
    it(`refuses to start on ${what}, and names it with its line`, async () => {
      const server = await redisWith();
      const started = await start({ redis: { url: server.url }, ...config });
      expect(await started.exit).to.equal(1);
      expect(started.log()).to.contain("CONFIG_INVALID").and.to.contain(named);
    });
  }
});
