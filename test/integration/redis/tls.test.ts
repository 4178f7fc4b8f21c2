import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { configSchema } from "../../../platform/config.js";
import { connectRedis } from "../../../platform/redis.js";
import { issueCertificate, makeAuthority } from "../../../platform/tls.js";
import { freePort } from "../../support/free-port.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { startSchedulerProcess } from "../../support/scheduler-process.js";
import { waitFor } from "../../support/wait-for.js";

describe("a Redis that speaks TLS, with a certificate of an authority of one's own", () => {
  let folder: string;
  let server: ThrowAwayRedis;
  let url: string;
  const at = (name: string) => join(folder, name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-redis-tls-"));
    const authority = await makeAuthority("a fleet");
    const { certificate, key } = await issueCertificate(authority, "localhost");
    await writeFile(at("ca.pem"), authority.certificate);
    await writeFile(at("redis.pem"), certificate);
    await writeFile(at("redis.key"), key);
    await writeFile(at("stranger.pem"), (await makeAuthority("a stranger")).certificate);
    const port = await freePort();
    url = `rediss://localhost:${port}`;
    const files = ["--tls-cert-file", at("redis.pem"), "--tls-key-file", at("redis.key"), "--tls-ca-cert-file", at("ca.pem")];
    server = await startRedis({ settings: ["--tls-port", String(port), "--tls-auth-clients", "no", ...files] });
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  /** What the connection is told; null once it is there. */
  async function connecting(ca?: string): Promise<string | null> {
    const redis = connectRedis({ url, ca });
    try {
      return await new Promise((resolve) => {
        redis.once("ready", () => resolve(null));
        redis.once("error", (error) => resolve(error.message));
      });
    } finally {
      redis.disconnect();
    }
  }

  it("is believed when `redis.ca` names that authority", async () => {
    expect(await connecting(at("ca.pem"))).to.equal(null);
  });

  it("is refused when `redis.ca` names another authority, or none, since Node.js does not know this one", async () => {
    expect(await connecting(at("stranger.pem"))).to.match(/certificate/);
    expect(await connecting()).to.match(/certificate/);
  });

  it("is where the scheduler leads and takes notes, told by its configuration alone", async () => {
    await writeFile(at("config.json"), JSON.stringify({ redis: { url, ca: at("ca.pem") }, scheduler: { host: "127.0.0.1", port: 0 } }));
    const scheduler = startSchedulerProcess(at("config.json"));
    try {
      const address = await scheduler.serving();
      await waitFor("health", async () => (await fetch(`${address}/healthz`)).ok);
      await waitFor("a plan in Redis", async () => (await server.connect().exists("{evenkeel}:plan")) === 1);
    } finally {
      scheduler.child.kill("SIGKILL");
      await scheduler.exit;
    }
  });

  it("has a file that can be read, or whoever connects says which cannot", () => {
    expect(() => connectRedis({ url, ca: at("none.pem") })).to.throw(/redis\.ca: ENOENT.*none\.pem/);
  });

  it("is asked for by rediss:// alone: `redis.ca` beside a url without TLS is refused, since nothing would be checked", () => {
    const { error } = configSchema.safeParse({ redis: { url: "redis://localhost:6379", ca: at("ca.pem") } });
    expect(error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`)).to.deep.equal([
      "redis.ca is for a rediss:// url only",
    ]);
  });
});
