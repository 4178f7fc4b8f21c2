import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { Registry } from "prom-client";
import { type Collector, startCollector } from "../../../collector/collect.js";
import { makeCollectorMetrics } from "../../../collector/metrics.js";
import { type NodeSample, nodeIdentitySchema, nodeSampleSchema } from "../../../collector/protocol.js";
import { WATCH_TIMES } from "../../../collector/watch-containers.js";
import { configSchema } from "../../../platform/config.js";
import { makeKeys } from "../../../platform/keys.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { waitFor } from "../../support/wait-for.js";
import { type StandInEngine, startStandInEngine } from "../../unit/collector/stand-in-engine.js";
import { type RealContainer, startRealContainer, whyNoRealContainer } from "./real-container.js";

const keys = makeKeys();

describe("the collector with a real Redis and the real /proc", () => {
  let server: ThrowAwayRedis;
  let engine: StandInEngine;
  let redis: Redis;
  let collector: Collector;
  let directory: string;
  let metrics: ReturnType<typeof makeCollectorMetrics>;

  const start = ({ intervalSeconds = 0.2, sampleTtlSeconds = 1.5 } = {}) => {
    const config = configSchema.parse({
      redis: { url: server.url },
      node: { id: "n1", peerHost: "10.0.0.1", labels: { zone: "a" } },
      collector: {
        intervalSeconds,
        sampleTtlSeconds,
        historyLength: 10,
        maintenanceFile: join(directory, "maintenance"),
        cordonFile: join(directory, "cordon"),
      },
    });
    metrics = makeCollectorMetrics(new Registry());
    collector = startCollector({
      config,
      redis: server.connect(true),
      docker: engine.docker,
      metrics,
      log: pino({ level: "silent" }),
      watchTimes: { ...WATCH_TIMES, retrySeconds: 0.05 },
    });
  };
  const readSample = async (): Promise<NodeSample | null> => {
    const text = await redis.get(keys.nodeSample("n1"));
    return text === null ? null : nodeSampleSchema.parse(JSON.parse(text));
  };
  const sampleWhere = (what: string, fits: (sample: NodeSample) => boolean) =>
    waitFor(what, async () => {
      const sample = await readSample();
      return sample !== null && fits(sample) ? sample : null;
    });
  const metric = async (name: string) => (await metrics.registry.getSingleMetric(name)!.get()).values[0]?.value;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "evenkeel-collector-"));
    server = await startRedis();
    engine = await startStandInEngine();
    redis = server.connect();
  });
  afterEach(async () => {
    await collector.close();
    await engine.close();
    await server.close();
    await rm(directory, { recursive: true });
  });

  it("pushes sample, history, node and identity", async () => {
    start();
    const sample = await sampleWhere("a sample", () => true);
    expect(sample).to.include({ node: "n1", maintenanceFile: null });
    // Over a fifth of a second, in which the kernel counts twenty times.
    expect(sample.cpuUsedCores).to.be.within(0, sample.cpuCapacityCores * 1.5);
    expect(sample.memoryUsedBytes).to.be.within(1, sample.memoryCapacityBytes);
    expect(sample.failures).to.deep.equal([]);
    expect(await redis.pttl(keys.nodeSample("n1"))).to.be.within(1, 1500);
    expect(await redis.zrange(keys.nodes, "0", "-1")).to.deep.equal(["n1"]);
    const [entry] = await redis.xrange(keys.nodeHistory("n1"), "-", "+", "COUNT", 1);
    const fields = entry?.[1].map(String) ?? [];
    expect(fields.filter((_, index) => index % 2 === 0)).to.deep.equal(["at", "cpuRatio", "memoryRatio"]);
    expect(Number(fields[1])).to.be.closeTo(Date.now() / 1000, 60);
    const identity = await waitFor("the identity", () => redis.get(keys.nodeIdentity("n1")));
    expect(nodeIdentitySchema.parse(JSON.parse(identity))).to.deep.include({
      node: "n1",
      peerAddress: "10.0.0.1:9443",
      labels: { zone: "a" },
      engine: { name: "docker", version: "28.5.2" },
    });
  });

  it("tells the node's networks, and anew soon after one has come or gone", async () => {
    start();
    const networks = async () => {
      const text = await redis.get(keys.nodeIdentity("n1"));
      return text === null ? null : nodeIdentitySchema.parse(JSON.parse(text)).networks?.join();
    };
    await waitFor("its networks", async () => (await networks()) === "bridge,host,none");
    engine.networks = ["bridge", "host", "lan", "none"];
    engine.emit("start");
    await waitFor("the new one", async () => (await networks()) === "bridge,host,lan,none");
  });

  it("numbers samples upwards, over a restart too", async () => {
    start();
    const first = await sampleWhere("a sample", () => true);
    const second = await sampleWhere("the next", ({ sequence }) => sequence > first.sequence);
    await collector.close();
    start();
    await sampleWhere("a sample of the new run", ({ sequence }) => sequence > second.sequence + 1);
  });

  it("keeps the history short", async () => {
    await redis.config("SET", "stream-node-max-entries", "5");
    start({ intervalSeconds: 0.02 });
    const first = await sampleWhere("a sample", () => true);
    await sampleWhere("thirty more", ({ sequence }) => sequence > first.sequence + 30);
    expect(await redis.xlen(keys.nodeHistory("n1"))).to.be.within(10, 20);
  });

  it("falls silent, and so becomes unknown, when the engine cannot say what runs", async () => {
    start();
    await sampleWhere("a sample", () => true);
    engine.behaviour = "fail";
    engine.cutEvents();
    await waitFor("the sample to expire", async () => (await readSample()) === null);
    expect(await metric("evenkeel_node_cpu_ratio"), "the host itself is still seen").to.be.a("number");
    engine.behaviour = "serve";
    await sampleWhere("a sample again", () => true);
  });

  it("reports the files that ask for maintenance and for a cordon", async () => {
    start();
    await sampleWhere("a sample without flags", ({ maintenanceFile, cordonFile }) => maintenanceFile === null && cordonFile === null);
    await writeFile(join(directory, "cordon"), "odd noise\n");
    await sampleWhere("the cordon", ({ maintenanceFile, cordonFile }) => maintenanceFile === null && cordonFile === "odd noise");
    await writeFile(join(directory, "maintenance"), "new disks\n");
    await sampleWhere("the flag", ({ maintenanceFile }) => maintenanceFile === "new disks");
    await rm(join(directory, "maintenance"));
    await sampleWhere("no flag", ({ maintenanceFile }) => maintenanceFile === null);
  });

  it("goes on sampling while Redis hangs, and pushes the newest sample once it is back", async () => {
    // A push fails after half of it, and the collector is ill after all of it: time to look between the two.
    start({ sampleTtlSeconds: 6 });
    const { sequence: firstSequence } = await sampleWhere("a sample", () => true);
    const last = await sampleWhere("the next", ({ sequence }) => sequence > firstSequence);
    process.kill(server.pid, "SIGSTOP");
    try {
      await waitFor("a push to fail", async () => ((await metric("evenkeel_collector_push_failures_total")) ?? 0) > 0);
      expect(collector.health()).to.equal(null);
      await waitFor("the collector to call itself ill", () => collector.health() !== null);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    const back = await sampleWhere("the newest sample", ({ sequence }) => sequence > last.sequence + 5);
    const pushed = await redis.xlen(keys.nodeHistory("n1"));
    expect(pushed, "those in between were taken but not pushed").to.be.lessThan(back.sequence - firstSequence);
    await waitFor("the collector to be well", () => collector.health() === null);
  });

  it("writes the identity again when Redis has lost it", async () => {
    start();
    await waitFor("the identity", () => redis.get(keys.nodeIdentity("n1")));
    await redis.flushall();
    await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await waitFor("the identity again", () => redis.get(keys.nodeIdentity("n1")));
  });

  const obstacle = whyNoRealContainer();
  describe(`and a real process in a container's cgroups${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, () => {
    let container: RealContainer | null = null;
    before(function () {
      if (obstacle !== null) this.skip();
    });
    afterEach(async () => {
      await container?.close();
      container = null;
    });

    it("measures a known share of a CPU, then a freeze as zero use", async () => {
      container = await startRealContainer("while :; do :; done", 0.3);
      engine.containers = [{ id: container.id, name: "burner", pid: container.pid, labels: { "io.evenkeel.workload": "burner" } }];
      start();
      const busy = await sampleWhere("its CPU", ({ workloads }) => Math.abs((workloads[0]?.cpuUsedCores ?? 0) - 0.3) < 0.1);
      expect(busy.workloads[0]).to.include({ id: "burner", state: "running", cpuLimitCores: 0.3, memoryLimitBytes: null, pids: 1 });
      expect(busy.workloads[0]?.memoryUsedBytes).to.be.within(1, 50_000_000);
      expect(busy.cpuUsedCores).to.be.greaterThan(0.2);
      await container.freeze(true);
      await sampleWhere("the freeze", ({ workloads }) => workloads[0]?.state === "frozen" && workloads[0].cpuUsedCores === 0);
    });

    it("says unknown, not idle, once its process is gone but the engine still lists it", async () => {
      container = await startRealContainer("sleep 1000", 0.3);
      engine.containers = [{ id: container.id, name: "sleeper", pid: container.pid }];
      start();
      await sampleWhere("its CPU", ({ workloads }) => workloads[0]?.cpuUsedCores === 0);
      await container.close();
      container = null;
      const sample = await sampleWhere("unknown use", ({ workloads }) => workloads[0]?.cpuUsedCores === null);
      expect(sample.failures.join()).to.contain("workload: /proc/");
    });
  });
});
