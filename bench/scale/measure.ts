import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { nowSeconds } from "../../platform/clock.js";
import { makeKeys } from "../../platform/keys.js";
import { projectPath } from "../../platform/paths.js";
import { connectRedis } from "../../platform/redis.js";
import { startRedis } from "../../test/support/redis.js";
import { waitFor } from "../../test/support/wait-for.js";
import { type Decision, decisionLatencies, type Pushed } from "./decision-latency.js";
import { percentile } from "./percentile.js";
import { cpuSeconds, residentBytes } from "./process-usage.js";
import type { PusherOrder, PusherReport } from "./pusher-messages.js";

export interface ScaleOptions {
  readonly nodes: number;
  readonly workloads: number;
  readonly intervalSeconds: number;
  readonly tickSeconds: number;
  readonly seconds: number;
  /** Ticks that are let pass before anything counts: the first read whole histories and run code that is not yet compiled. */
  readonly warmUpTicks: number;
  /** Folder for a CPU profile of the scheduler; null = none. */
  readonly profileFolder: string | null;
  /** The one core that the scheduler may use, so that "on one core" is meant literally; null = any. */
  readonly core: number | null;
}

export interface ScaleResult {
  readonly nodes: number;
  readonly workloads: number;
  readonly ticks: number;
  readonly tickSecondsP50: number | null;
  readonly tickSecondsP99: number | null;
  /** CPU time of the scheduler's process within a tick: what the tick takes where nothing else wants the core. */
  readonly tickCpuSecondsP50: number | null;
  readonly tickCpuSecondsP99: number | null;
  readonly readSecondsP50: number | null;
  readonly decideSecondsP50: number | null;
  readonly sampleToDecisionSecondsP99: number | null;
  readonly redisBytes: number;
  readonly schedulerCpuRatio: number;
  readonly schedulerRssBytes: number;
  readonly schedulerPeakRssBytes: number;
  readonly redisCpuRatio: number;
  readonly nodesSideCpuRatio: number;
  readonly samplesPerSecond: number;
  readonly unknownNodes: number;
  /** Of the machine during the run: above its number of cores, wall times wait for others. */
  readonly loadAverage: number;
}

interface Tick {
  readonly seconds: number;
  readonly readSeconds: number;
  readonly decideSeconds: number;
  readonly cpuSeconds: number;
  readonly unknown: number;
}

const HISTORY_LENGTH = 720;
const TTL_INTERVALS = 4;
const START_DEADLINE = { deadlineSeconds: 600, everyMilliseconds: 200 };

/** Real Redis, real wire format, real scheduler, each in a process of its own. */
export async function measureScale(options: ScaleOptions): Promise<ScaleResult> {
  const { nodes, workloads, intervalSeconds } = options;
  const server = await startRedis();
  const folder = await mkdtemp(join(tmpdir(), "evenkeel-scale-"));
  const children: ChildProcess[] = [];
  try {
    const samples: Pushed[] = [];
    const order: PusherOrder = {
      redisUrl: server.url,
      nodes,
      workloads,
      intervalSeconds,
      sampleTtlSeconds: TTL_INTERVALS * intervalSeconds,
      historyLength: HISTORY_LENGTH,
    };
    const pusher = await startPusher(order, samples, children);
    const ticks: Tick[] = [];
    const scheduler = await startScheduler(options, server.url, folder, ticks, children);
    const decisions = await followDecisions(server.url);
    await waitFor("the first ticks", () => alive([pusher, scheduler]) && ticks.length >= options.warmUpTicks, START_DEADLINE);

    const redis = server.connect();
    const pids = { scheduler: scheduler.pid!, redis: server.pid, nodesSide: pusher.pid! };
    const usage = () => ({
      at: nowSeconds(),
      ticks: ticks.length,
      samples: samples.length,
      scheduler: cpuSeconds(pids.scheduler),
      redis: cpuSeconds(pids.redis),
      nodesSide: cpuSeconds(pids.nodesSide),
    });
    const first = usage();
    await waitFor("the measured time to pass", () => alive([pusher, scheduler]) && nowSeconds() - first.at >= options.seconds, {
      deadlineSeconds: options.seconds * 2 + 60,
      everyMilliseconds: 200,
    });
    const last = usage();
    const wallSeconds = last.at - first.at;
    const share = (part: "scheduler" | "redis" | "nodesSide") => (last[part] - first[part]) / wallSeconds;
    const counted = ticks.slice(first.ticks, last.ticks);
    const of = (read: (tick: Tick) => number, ratio: number) => percentile(counted.map(read), ratio);
    const memory = residentBytes(pids.scheduler);
    const { seen } = decisions;
    const latencies = decisionLatencies(
      samples.slice(first.samples, last.samples),
      seen.filter(({ readAt }) => readAt >= first.at),
    );
    decisions.close();
    return {
      nodes,
      workloads,
      ticks: counted.length,
      tickSecondsP50: of((tick) => tick.seconds, 0.5),
      tickSecondsP99: of((tick) => tick.seconds, 0.99),
      tickCpuSecondsP50: of((tick) => tick.cpuSeconds, 0.5),
      tickCpuSecondsP99: of((tick) => tick.cpuSeconds, 0.99),
      readSecondsP50: of((tick) => tick.readSeconds, 0.5),
      decideSecondsP50: of((tick) => tick.decideSeconds, 0.5),
      sampleToDecisionSecondsP99: percentile(latencies, 0.99),
      redisBytes: Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]),
      schedulerCpuRatio: share("scheduler"),
      schedulerRssBytes: memory.now,
      schedulerPeakRssBytes: memory.peak,
      redisCpuRatio: share("redis"),
      nodesSideCpuRatio: share("nodesSide"),
      samplesPerSecond: (last.samples - first.samples) / wallSeconds,
      unknownNodes: Math.max(0, ...counted.map(({ unknown }) => unknown)),
      loadAverage: loadavg()[0]!,
    };
  } finally {
    await Promise.all(children.map(endChild));
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startPusher(order: PusherOrder, samples: Pushed[], children: ChildProcess[]): Promise<ChildProcess> {
  const pusher = fork(projectPath("dist/bench/scale/pusher.js"));
  children.push(pusher);
  let ready = false;
  pusher.on("message", (report: PusherReport) => {
    if (report.kind === "ready") ready = true;
    else for (const [at, acknowledgedAt] of report.samples) samples.push({ at, acknowledgedAt });
  });
  pusher.send(order);
  await waitFor("the nodes' past to be in Redis", () => alive([pusher]) && ready, START_DEADLINE);
  return pusher;
}

async function startScheduler(
  options: ScaleOptions,
  redisUrl: string,
  folder: string,
  ticks: Tick[],
  children: ChildProcess[],
): Promise<ChildProcess> {
  const file = join(folder, "config.json");
  const { intervalSeconds, tickSeconds } = options;
  const config = {
    redis: { url: redisUrl },
    collector: { intervalSeconds, sampleTtlSeconds: TTL_INTERVALS * intervalSeconds },
    scheduler: { host: "127.0.0.1", port: 0, tickSeconds },
  };
  await writeFile(file, JSON.stringify(config));
  const profile = options.profileFolder === null ? [] : ["--cpu-prof", "--cpu-prof-dir", options.profileFolder];
  const pinned = options.core === null ? [] : ["taskset", "--cpu-list", String(options.core)];
  const [command, ...rest] = [...pinned, process.execPath, ...profile, projectPath("dist/scheduler/main.js")];
  const child = spawn(command!, rest, {
    env: { PATH: process.env["PATH"], EVENKEEL_CONFIG: file, EVENKEEL_LOG_LEVEL: "debug", NODE_ENV: "production" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  children.push(child);
  createInterface({ input: child.stderr! }).on("line", (line) => {
    const entry = JSON.parse(line) as { msg: string; level: number; tick: Tick };
    if (entry.msg === "ticked") ticks.push(entry.tick);
    else if (entry.level >= 50) process.stderr.write(`${line}\n`);
  });
  return child;
}

/** Sees each plan when it is published, as anyone who subscribes does. */
async function followDecisions(url: string): Promise<{ seen: Decision[]; close(): void }> {
  const keys = makeKeys();
  const [redis, subscriber] = [connectRedis({ url }), connectRedis({ url })];
  const seen: Decision[] = [];
  await subscriber.subscribe(keys.events);
  subscriber.on("message", (_channel, text: string) => {
    if ((JSON.parse(text) as { kind: string }).kind !== "plan") return;
    const publishedAt = nowSeconds();
    // A plan begins with its time; the rest may be large.
    redis.getrange(keys.plan, 0, 60).then(
      (head) => seen.push({ readAt: Number(/"at":([\d.]+)/.exec(head)?.[1]), publishedAt }),
      // One that comes as the measurement ends does not count.
      () => {},
    );
  });
  return {
    seen,
    close: () => {
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}

function alive(children: readonly ChildProcess[]): boolean {
  const dead = children.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
  if (dead !== undefined) throw new Error(`${dead.spawnargs.join(" ")} has ended with ${dead.exitCode ?? dead.signalCode}`);
  return true;
}

/** Asks first: a profile is written on the way out. */
async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await gone;
  clearTimeout(timer);
}
