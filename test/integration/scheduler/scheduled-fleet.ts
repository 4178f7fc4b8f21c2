import { type Job, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import type { NodeAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, type ReportedNode, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const POLICIES = { overload: { holdSeconds: 5, settleSeconds: 0 }, cooldownSeconds: 600 };

/** One node is overloaded, one has a workload, one has none. */
export const hot = (): ReportedNode[] => [
  {
    id: "n1",
    workloads: [
      { name: "burn", cpuUsedCores: 1.2 },
      { name: "web", cpuUsedCores: 1.5 },
      { name: "db", cpuUsedCores: 1 },
    ],
  },
  { id: "n2", workloads: [{ name: "quiet" }] },
  { id: "n3", workloads: [] },
];

/** For a `describe`: before each of its tests an empty Redis, to which a fleet reports and over which schedulers run, as the test has them. */
export class ScheduledFleet {
  redis!: Redis;
  keys!: Keys;
  fleet!: ReportedFleet;
  readonly schedulers: RunningScheduler[] = [];
  private server!: ThrowAwayRedis;
  private readonly queues: Queue[] = [];

  constructor() {
    beforeEach(async () => {
      this.server = await startRedis();
      this.redis = this.server.connect();
      this.keys = makeKeys();
    });
    afterEach(() => this.close());
  }

  private async close(): Promise<void> {
    await this.fleet?.stop();
    await Promise.all(this.queues.splice(0).map((queue) => queue.close()));
    await Promise.all(this.schedulers.splice(0).map((scheduler) => scheduler.close()));
    await this.server.close();
  }

  async start(options: Parameters<typeof runScheduler>[1] = {}): Promise<RunningScheduler> {
    const scheduler = await runScheduler(this.server, { policies: POLICIES, ...options });
    this.schedulers.push(scheduler);
    return scheduler;
  }

  async report(nodes: ReportedNode[]): Promise<void> {
    this.fleet = reportFleet(this.redis, this.keys, nodes);
    await this.fleet.pushPast(15, 1);
    this.fleet.keepPushing();
  }

  async jobsOn(node: string): Promise<Job[]> {
    const queue = new Queue(this.keys.migrateQueue(node), { connection: this.server.connect(), prefix: this.keys.queuePrefix });
    this.queues.push(queue);
    return queue.getJobs();
  }
}

export async function stateOf(scheduler: RunningScheduler, id: string): Promise<NodeAnswer | undefined> {
  const { nodes } = await scheduler.get<{ nodes: NodeAnswer[] }>(`${API_BASE}/nodes`);
  return nodes.find((node) => node.id === id);
}

export async function ticks(scheduler: RunningScheduler, count: number): Promise<void> {
  const counted = async () => {
    const text = await scheduler.registry.getSingleMetricAsString("evenkeel_tick_duration_seconds");
    return Number(/_count (\d+)/.exec(text)?.[1] ?? 0);
  };
  const before = await counted();
  await waitFor(`${count} more ticks`, async () => (await counted()) >= before + count);
}
