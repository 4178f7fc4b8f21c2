import type { Redis } from "ioredis";
import { pino } from "pino";
import { makeCollectorMetrics } from "../../../collector/metrics.js";
import type { NodeSample, WorkloadSample } from "../../../collector/protocol.js";
import { pushSample } from "../../../collector/push-sample.js";
import { makeExecutorMetrics } from "../../../executor/metrics.js";
import { expressions } from "../../../grafana/expressions.js";
import { nowSeconds } from "../../../platform/clock.js";
import { configSchema } from "../../../platform/config.js";
import { makeKeys } from "../../../platform/keys.js";
import { type MetricsServer, makeRegistry, serveMetrics } from "../../../platform/metrics.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { type Scheduler, startScheduler } from "../../../scheduler/start-scheduler.js";
import { endedMigration } from "../../support/ended-migration.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { reportOfExecutor } from "../../support/reported-fleet.js";
import { waitFor } from "../../support/wait-for.js";
import { type Prometheus, startPrometheus, whyNoPrometheus } from "./start-prometheus.js";

const log = pino({ level: "silent" });
const keys = makeKeys();
const obstacle = whyNoPrometheus();

const workload = (name: string): WorkloadSample => ({
  id: name,
  containerId: "c".repeat(64),
  name,
  image: "image:1",
  state: "running",
  startedAt: 1,
  cpuUsedCores: 0.1,
  memoryUsedBytes: 1e8,
  memoryLimitBytes: null,
  cpuLimitCores: null,
  pids: 1,
  labels: {},
});

function sampleOf(node: string, sequence: number): NodeSample {
  const pressure = { someRatio: 0.1, fullRatio: 0 };
  const stays: WorkloadSample = { ...workload("stays"), labels: { "io.evenkeel.mode": "never" } };
  return {
    version: 1,
    node,
    at: nowSeconds(),
    sequence,
    cpuCapacityCores: 4,
    memoryCapacityBytes: 8e9,
    cpuUsedCores: 0.5,
    memoryUsedBytes: 1e9,
    memoryAvailableBytes: 7e9,
    pressure: { cpu: pressure, memory: pressure, io: pressure },
    networkReceiveBytesPerSecond: 1,
    networkTransmitBytesPerSecond: 1,
    diskReadBytesPerSecond: 1,
    diskWriteBytesPerSecond: 1,
    maintenanceFile: null,
    workloads: node === "n1" ? [workload("web"), stays] : [],
    health: { at: nowSeconds(), signs: [], unread: [] },
    failures: [],
  };
}

/** A real scheduler, Redis and Prometheus; two nodes' collectors and one executor are played by their own metrics code. */
describe(`the dashboards' expressions in a real Prometheus${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, () => {
  const closers: (() => Promise<void>)[] = [];
  let prometheus: Prometheus;

  before(async function () {
    if (obstacle !== null) this.skip();
    const server: ThrowAwayRedis = await startRedis();
    closers.push(() => server.close());
    const redis = server.connect();
    const stopNodes = await playNodes(redis, closers);
    closers.push(stopNodes);
    await redis.hset(keys.maintenance, "n1", "new disks");
    const scheduler = await startRealScheduler(server);
    closers.push(() => scheduler.close());
    const executor = await playExecutor(["succeeded", "failed"]);
    closers.push(() => executor.close());
    const unlucky = await playExecutor(["failed"]);
    closers.push(() => unlucky.close());
    prometheus = await startPrometheus([
      ...ports.map((port, index) => ({ job: "evenkeel-collector", port, labels: { node: `n${index + 1}` } })),
      { job: "evenkeel-executor", port: executor.port, labels: { node: "n1" } },
      { job: "evenkeel-executor", port: unlucky.port, labels: { node: "n2" } },
      { job: "evenkeel-scheduler", port: scheduler.port },
    ]);
    closers.push(() => prometheus.close());
  });
  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  for (const { dashboard, panel, expr } of expressions()) {
    it(`${dashboard}, ${panel}: has data: ${expr.slice(0, 70)}`, async () => {
      await waitFor(`a value of ${expr}`, async () => (await prometheus.query(expr)).some(({ value }) => value[1] !== "NaN"));
    });
  }

  it("shows that none has succeeded where all have failed", async () => {
    const { expr } = expressions().find(({ panel }) => panel === "Succeeded")!;
    const ofNode = expr.replaceAll('node=~".*"', 'node="n2"');
    await waitFor("a share of nothing", async () => (await prometheus.query(ofNode)).some(({ value }) => value[1] === "0"));
  });
});

const ports: number[] = [];

async function playNodes(redis: Redis, closers: (() => Promise<void>)[]): Promise<() => Promise<void>> {
  const nodes = await Promise.all(
    ["n1", "n2"].map(async (id) => {
      const metrics = makeCollectorMetrics(makeRegistry());
      const server: MetricsServer = await serveMetrics(metrics.registry, 0, "127.0.0.1");
      closers.push(() => server.close());
      return { id, metrics, port: server.port };
    }),
  );
  ports.splice(0, ports.length, ...nodes.map((node) => node.port));
  let sequence = 0;
  const sampleAll = async () => {
    sequence += 1;
    for (const { id, metrics } of nodes) {
      const stop = metrics.duration.startTimer();
      const sample = sampleOf(id, sequence);
      stop();
      metrics.show(sample);
      metrics.addTraffic({ networkReceiveBytes: 1, networkTransmitBytes: 1, diskReadBytes: 1, diskWriteBytes: 1 });
      metrics.failedRead({ source: "disk", message: "" });
      await pushSample(redis, keys, { sampleTtlSeconds: 20, historyLength: 100 }, sample, null);
      await redis.hset(keys.executors, sample.node, reportOfExecutor());
    }
  };
  await sampleAll();
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(sampleAll).catch(() => {});
  }, 200);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

function startRealScheduler(server: ThrowAwayRedis): Promise<Scheduler> {
  const config = configSchema.parse({
    redis: { url: server.url },
    collector: { intervalSeconds: 0.2 },
    scheduler: { host: "127.0.0.1", port: 0, tickSeconds: 0.2 },
  });
  return startScheduler({ config, redis: server.connect(true), subscriber: server.connect(), registry: makeRegistry(), log });
}

/** Ends a migration of each kind again and again: an increase needs more than the first. */
async function playExecutor(results: readonly NonNullable<MigrationRecord["result"]>[]): Promise<MetricsServer> {
  const registry = makeRegistry();
  const metrics = makeExecutorMetrics(registry);
  const server = await serveMetrics(registry, 0, "127.0.0.1");
  let ended = 0;
  const timer = setInterval(() => {
    for (const result of results) {
      metrics.migrationStarted();
      metrics.migrationEnded(endedMigration(`m${++ended}`, { result, outcome: result === "succeeded" ? "committed" : "aborted" }));
    }
  }, 200);
  return {
    port: server.port,
    close: () => {
      clearInterval(timer);
      return server.close();
    },
  };
}
