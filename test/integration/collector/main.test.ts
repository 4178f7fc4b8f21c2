import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { makeKeys } from "../../../platform/keys.js";
import { projectPath } from "../../../platform/paths.js";
import { startRedis } from "../../support/redis.js";
import { waitFor } from "../../support/wait-for.js";
import { startStandInEngine } from "../../unit/collector/stand-in-engine.js";

describe("the collector as a program", () => {
  it("serves its metrics and health, and ends cleanly on SIGTERM", async () => {
    const directory = await mkdtemp(join(tmpdir(), "evenkeel-collector-main-"));
    const server = await startRedis();
    const engine = await startStandInEngine();
    const file = join(directory, "config.json");
    const dockerSocket = engine.socketPath;
    const collector = {
      intervalSeconds: 0.2,
      metricsPort: 0,
      maintenanceFile: join(directory, "maintenance"),
      cordonFile: join(directory, "cordon"),
    };
    await writeFile(file, JSON.stringify({ redis: { url: server.url }, node: { id: "n1", dockerSocket }, collector }));
    const child = spawn(process.execPath, [projectPath("dist/collector/main.js")], {
      env: { ...process.env, EVENKEEL_CONFIG: file },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const exit = new Promise<[number | null, string | null]>((resolve) => child.once("exit", (code, signal) => resolve([code, signal])));
    try {
      const port = await waitFor("the port in its log", () => /"metricsPort":(\d+)/.exec(log)?.[1]);
      const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
      await waitFor("a sample in Redis", () => server.connect().exists(makeKeys().nodeSample("n1")));
      await waitFor("health", async () => (await ask("/healthz")).status === 200);
      expect(await (await ask("/metrics")).text()).to.match(/^evenkeel_node_cpu_ratio \d/m);
      child.kill("SIGTERM");
      expect(await exit, log).to.deep.equal([0, null]);
    } finally {
      child.kill("SIGKILL");
      await exit;
      await engine.close();
      await server.close();
      await rm(directory, { recursive: true });
    }
  });
});
