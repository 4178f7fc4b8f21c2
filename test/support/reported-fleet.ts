import type { Redis } from "ioredis";
import type { NodeSample, WorkloadSample } from "../../collector/protocol.js";
import { pushSample } from "../../collector/push-sample.js";
import type { ExecutorReport } from "../../executor/protocol.js";
import type { Keys } from "../../platform/keys.js";

const GIBIBYTE = 2 ** 30;
const PUSH_MILLISECONDS = 200;

export interface ReportedWorkload {
  readonly name: string;
  cpuUsedCores?: number;
  memoryUsedBytes?: number;
  labels?: Record<string, string>;
  /** Left out: its collector does not tell. */
  networks?: string[];
  volumes?: string[];
  boundBy?: NonNullable<WorkloadSample["boundBy"]>;
}

export interface ReportedNode {
  readonly id: string;
  workloads: ReportedWorkload[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Beyond what its workloads use. */
  otherCpuCores?: number;
  maintenanceFile?: string | null;
  cordonFile?: string | null;
  networks?: string[];
  /** Left out: its collector does not tell. */
  endedNames?: string[];
  /** Kind of a sign that it may soon fail. */
  ailsOf?: string;
  /** Whether an executor is heard there as well; left out = yes. */
  hasExecutor?: boolean;
  cpu?: Pick<ExecutorReport, "cpuKind" | "refusedCpus">;
}

/** Nodes that report through the collector's own push, without containers behind them. */
export interface ReportedFleet {
  readonly nodes: ReportedNode[];
  node(id: string): ReportedNode;
  /** One sample of each node, dated `at` (epoch seconds, now by default). */
  push(at?: number): Promise<void>;
  /** Fills the histories as if the nodes had reported the same all along. */
  pushPast(seconds: number, everySeconds?: number): Promise<void>;
  keepPushing(): void;
  stop(): Promise<void>;
}

export function reportOfExecutor(at = Date.now() / 1000, cpu: Pick<ExecutorReport, "cpuKind" | "refusedCpus"> = {}): string {
  return JSON.stringify({ at, lostSince: null, reached: [], unreachable: [], ...cpu } satisfies ExecutorReport);
}

export const containerIdOf = (name: string) => Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64);

export function reportFleet(redis: Redis, keys: Keys, nodes: ReportedNode[]): ReportedFleet {
  let sequence = 0;
  let timer: NodeJS.Timeout | undefined;
  let pushing: Promise<void> = Promise.resolve();
  const push = async (at = Date.now() / 1000) => {
    sequence++;
    const options = { sampleTtlSeconds: 20, historyLength: 720 };
    const reports = nodes.flatMap(({ id, hasExecutor = true, cpu }) => (hasExecutor ? [id, reportOfExecutor(undefined, cpu)] : []));
    if (reports.length > 0) await redis.hset(keys.executors, ...reports);
    await Promise.all(
      nodes.map((node) => {
        const sample = makeSample(node, at, sequence);
        const identity = {
          node: node.id,
          hostname: node.id,
          kernel: "6.12.0",
          architecture: "x86_64",
          cpuModel: "test",
          cpuCapacityCores: sample.cpuCapacityCores,
          memoryCapacityBytes: sample.memoryCapacityBytes,
          engine: { name: "docker", version: "28.5.2" },
          peerAddress: `${node.id}:9443`,
          labels: { ...node.labels },
          ...(node.networks && { networks: node.networks }),
        };
        return pushSample(redis, keys, options, sample, identity);
      }),
    );
  };
  return {
    nodes,
    node: (id) => nodes.find((node) => node.id === id)!,
    push,
    pushPast: async (seconds, everySeconds = 2) => {
      const now = Date.now() / 1000;
      for (let back = seconds; back > 0; back -= everySeconds) await push(now - back);
    },
    keepPushing: () => {
      const loop = () => {
        pushing = push()
          .catch(() => {})
          .then(() => {
            timer = setTimeout(loop, PUSH_MILLISECONDS);
          });
      };
      loop();
    },
    stop: async () => {
      clearTimeout(timer);
      await pushing;
      clearTimeout(timer);
    },
  };
}

export function makeSample(node: ReportedNode, at: number, sequence = 1): NodeSample {
  const workloads = node.workloads.map(makeWorkload);
  const sum = (values: (number | null)[]) => values.reduce<number>((total, value) => total + (value ?? 0), 0);
  const memoryUsedBytes = GIBIBYTE / 4 + sum(workloads.map((workload) => workload.memoryUsedBytes));
  const none = { someRatio: null, fullRatio: null };
  return {
    version: 1,
    node: node.id,
    at,
    sequence,
    cpuCapacityCores: 4,
    memoryCapacityBytes: 8 * GIBIBYTE,
    cpuUsedCores: (node.otherCpuCores ?? 0.1) + sum(workloads.map((workload) => workload.cpuUsedCores)),
    memoryUsedBytes,
    memoryAvailableBytes: 8 * GIBIBYTE - memoryUsedBytes,
    pressure: { cpu: none, memory: none, io: none },
    networkReceiveBytesPerSecond: 0,
    networkTransmitBytesPerSecond: 0,
    diskReadBytesPerSecond: 0,
    diskWriteBytesPerSecond: 0,
    maintenanceFile: node.maintenanceFile ?? null,
    cordonFile: node.cordonFile ?? null,
    workloads,
    ...(node.endedNames && { endedNames: node.endedNames }),
    ...(node.ailsOf && { health: { at, signs: [{ kind: node.ailsOf, since: at, detail: "seen" }], unread: [] } }),
    failures: [],
  };
}

function makeWorkload({
  name,
  cpuUsedCores = 0.2,
  memoryUsedBytes = GIBIBYTE / 4,
  labels = {},
  networks,
  volumes,
  boundBy,
}: ReportedWorkload): WorkloadSample {
  return {
    id: labels["io.evenkeel.workload"] ?? containerIdOf(name),
    containerId: containerIdOf(name),
    name,
    image: "evenkeel/test",
    state: "running",
    startedAt: 1_700_000_000,
    cpuUsedCores,
    memoryUsedBytes,
    memoryLimitBytes: null,
    cpuLimitCores: null,
    pids: 3,
    ...(networks && { networks }),
    ...(volumes && { volumes }),
    ...(boundBy && { boundBy }),
    labels,
  };
}
