import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Queue, Worker } from "bullmq";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { readRedisFacts } from "../../../executor/preflight/redis-facts.js";
import { makeKeys } from "../../../platform/keys.js";
import { projectPath } from "../../../platform/paths.js";
import { assertNoEviction, connectRedis } from "../../../platform/redis.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { startSchedulerProcess } from "../../support/scheduler-process.js";
import { waitFor } from "../../support/wait-for.js";

const keys = makeKeys();
const PASSWORD = "of-the-user";

/** The rights that docs/installation.md gives to Evenkeel's user. */
async function documentedRights(): Promise<string[]> {
  const page = await readFile(projectPath("docs/installation.md"), "utf8");
  const line = /^user evenkeel on >\S+ (.+)$/m.exec(page)?.[1];
  if (line === undefined) throw new Error("docs/installation.md names no user of Redis' access list");
  return line.split(" ");
}

describe("a Redis with an access list", () => {
  const servers: ThrowAwayRedis[] = [];
  const connections: Redis[] = [];

  async function redisFor(rights: readonly string[], settings: readonly string[] = []) {
    const user = ["--user", "evenkeel", "on", `>${PASSWORD}`, ...rights];
    const server = await startRedis({ tcp: true, settings: [...settings, ...user] });
    servers.push(server);
    return { server, url: server.url.replace("redis://", "redis://evenkeel@") };
  }
  const connect = (url: string, password = PASSWORD) => {
    const redis = connectRedis({ url, password }, true);
    connections.push(redis);
    return redis;
  };
  afterEach(async () => {
    for (const redis of connections.splice(0)) redis.disconnect();
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  it("is entered as the user that the url names, with `redis.password`", async () => {
    const { url } = await redisFor(await documentedRights());
    expect(await connect(url).call("ACL", "WHOAMI")).to.equal("evenkeel");
    expect(await connect(url).config("GET", "maxmemory-policy").catch(String)).to.contain("NOPERM");
    expect(await connect(url).set(keys.plan, "{}")).to.equal("OK");
    expect(await connect(url).set("elsewhere", "1").catch(String)).to.contain("NOPERM");
  });

  it("is enough for a scheduler and for jobs, with the documented rights and not those to look at settings", async () => {
    const { server, url } = await redisFor(await documentedRights());
    const folder = await mkdtemp(join(tmpdir(), "evenkeel-access-list-"));
    const file = join(folder, "config.json");
    await writeFile(file, JSON.stringify({ redis: { url, password: PASSWORD }, scheduler: { host: "127.0.0.1", port: 0 } }));
    const scheduler = startSchedulerProcess(file);
    const connection = connectRedis({ url, password: PASSWORD });
    connections.push(connection);
    const options = { connection: connection as never, prefix: keys.queuePrefix };
    const queue = new Queue(keys.migrateQueue("n1"), options);
    try {
      const address = await scheduler.serving();
      await waitFor("health", async () => (await fetch(`${address}/healthz`)).ok);
      await waitFor("a plan in Redis", async () => (await server.connect().exists(keys.plan)) === 1);
      const taken = new Promise((resolve) => {
        const worker = new Worker(keys.migrateQueue("n1"), async ({ data }) => resolve(data), options);
        worker.on("completed", () => void worker.close());
      });
      await queue.add("migrate", { migrationId: "m1" });
      expect(await taken).to.deep.equal({ migrationId: "m1" });
      expect(scheduler.log()).not.to.match(/NOPERM|maxmemory/);
    } finally {
      await queue.close();
      scheduler.child.kill("SIGKILL");
      await scheduler.exit;
      await rm(folder, { recursive: true });
    }
  });

  it("that forbids CONFIG still tells by INFO whether keys are evicted", async () => {
    const evicting = await redisFor(["allkeys", "+@all", "-config"], ["--maxmemory-policy", "allkeys-lru"]);
    const error: unknown = await assertNoEviction(connect(evicting.url)).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: "REDIS_EVICTS", detail: "maxmemory-policy is allkeys-lru" });
    const keeping = await redisFor(["allkeys", "+@all", "-config"]);
    expect(await assertNoEviction(connect(keeping.url))).to.equal(null);
    expect(await readRedisFacts(connect(keeping.url))).to.include({ evictionPolicy: "noeviction", appendFsync: null });
  });

  it("that forbids both leaves it to a person, and is not taken for one that evicts", async () => {
    const { url } = await redisFor(["allkeys", "+@all", "-config", "-info"]);
    expect(await assertNoEviction(connect(url))).to.contain("make sure that maxmemory-policy is noeviction");
  });

  it("is not entered with a wrong password, and that is an end and no warning", async () => {
    const { server, url } = await redisFor(["allkeys", "+@all"]);
    await server.connect().config("SET", "requirepass", "of-all-others");
    expect(await assertNoEviction(connect(url, "wrong")).catch(String)).to.match(/NOAUTH|WRONGPASS/);
  });
});
