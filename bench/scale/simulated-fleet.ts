import { createHash } from "node:crypto";
import type { NodeIdentity, NodeSample, WorkloadSample } from "../../collector/protocol.js";

const GIBIBYTE = 2 ** 30;
const MEBIBYTE = 2 ** 20;
const CPU_CORES = 32;
const MEMORY_BYTES = 256 * GIBIBYTE;
/** One node in so many is driven over the bound of overload, so that ticks have something to decide. */
const NODES_PER_HOT_NODE = 50;
const USUAL_CPU_RATIO = 0.5;
const HOT_CPU_RATIO = 0.86;
const ZONES = 3;
/** Workloads that have a partner elsewhere: one in so many. */
const WORKLOADS_PER_GROUP_MEMBER = 10;
const IMAGES = ["registry.example/shop/web", "registry.example/shop/cart", "postgres", "redis", "registry.example/etl/worker"];

export interface SimulatedNode {
  readonly id: string;
  readonly identity: NodeIdentity;
  /** A reading of this node; each call gives other readings. */
  sample(at: number, sequence: number): NodeSample;
  /** CPU and memory as the history stream holds them. */
  ratios(): { readonly cpuRatio: number; readonly memoryRatio: number };
}

/** Nodes alike in size, workloads of skewed sizes spread over them; the same for the same numbers. */
export function simulateFleet(nodes: number, workloads: number): SimulatedNode[] {
  const random = makeRandom(1);
  const made = Array.from({ length: nodes }, (_, index) => ({ index, id: `node-${String(index + 1).padStart(5, "0")}` }));
  return made.map(({ index, id }) => {
    const count = Math.floor(workloads / nodes) + (index < workloads % nodes ? 1 : 0);
    return makeNode(id, index, count, random);
  });
}

function makeNode(id: string, index: number, count: number, random: () => number): SimulatedNode {
  const target = index % NODES_PER_HOT_NODE === 0 ? HOT_CPU_RATIO : USUAL_CPU_RATIO * (0.7 + 0.6 * random());
  const shares = Array.from({ length: count }, () => 0.2 + random() ** 4 * 4);
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const workloads = shares.map((share, place) => makeWorkload(`${id}-${place}`, (share / whole) * target * CPU_CORES, random));
  const ratios = () => {
    const swing = 1 + 0.06 * (random() - 0.5);
    return { cpuRatio: target * swing, memoryRatio: 0.55 * swing };
  };
  const identity: NodeIdentity = {
    node: id,
    hostname: id,
    kernel: "6.12.48+deb13-amd64",
    architecture: "x86_64",
    cpuModel: "AMD EPYC 9354P 32-Core Processor",
    cpuCapacityCores: CPU_CORES,
    memoryCapacityBytes: MEMORY_BYTES,
    engine: { name: "docker", version: "28.5.2" },
    peerAddress: `${id}.fleet.example:9443`,
    labels: { "io.evenkeel.zone": `zone-${index % ZONES}` },
    networks: ["bridge", "host", "lan", "none"],
  };
  const sample = (at: number, sequence: number): NodeSample => {
    const { cpuRatio, memoryRatio } = ratios();
    return {
      version: 1,
      node: id,
      at,
      sequence,
      cpuCapacityCores: CPU_CORES,
      memoryCapacityBytes: MEMORY_BYTES,
      cpuUsedCores: cpuRatio * CPU_CORES,
      memoryUsedBytes: Math.round(memoryRatio * MEMORY_BYTES),
      memoryAvailableBytes: Math.round((1 - memoryRatio) * MEMORY_BYTES),
      pressure: {
        cpu: { someRatio: random() / 10, fullRatio: 0 },
        memory: { someRatio: 0, fullRatio: 0 },
        io: { someRatio: random() / 50, fullRatio: random() / 100 },
      },
      networkReceiveBytesPerSecond: random() * 1e8,
      networkTransmitBytesPerSecond: random() * 1e8,
      diskReadBytesPerSecond: random() * 1e7,
      diskWriteBytesPerSecond: random() * 1e7,
      maintenanceFile: null,
      cordonFile: null,
      workloads: workloads.map((workload) => ({
        ...workload,
        cpuUsedCores: (workload.cpuUsedCores as number) * (0.9 + 0.2 * random()),
        memoryUsedBytes: Math.round((workload.memoryUsedBytes as number) * (0.99 + 0.02 * random())),
      })),
      failures: [],
    };
  };
  return { id, identity, sample, ratios };
}

function makeWorkload(name: string, cpuUsedCores: number, random: () => number): WorkloadSample {
  const containerId = createHash("sha256").update(name).digest("hex");
  const grouped = Math.floor(random() * WORKLOADS_PER_GROUP_MEMBER) === 0;
  return {
    id: containerId,
    containerId,
    name,
    image: `${IMAGES[Math.floor(random() * IMAGES.length)]}@sha256:${containerId}`,
    state: "running",
    startedAt: 1_790_000_000 + Math.floor(random() * 1e6),
    cpuUsedCores,
    memoryUsedBytes: Math.round((64 + random() ** 3 * 8192) * MEBIBYTE),
    memoryLimitBytes: random() < 0.5 ? null : 16 * GIBIBYTE,
    cpuLimitCores: random() < 0.5 ? null : 8,
    pids: 1 + Math.floor(random() * 60),
    networks: ["lan"],
    ...mountsOf(name, containerId),
    labels: grouped ? { "io.evenkeel.anti-affinity": `group-${Math.floor(random() * 1000)}` } : {},
  };
}

/** One in four has a volume of its own, and one in sixteen writes to a folder of its host, which binds it there. */
function mountsOf(name: string, containerId: string): Pick<WorkloadSample, "volumes" | "boundBy"> {
  const digit = Number.parseInt(containerId.charAt(0), 16);
  return {
    ...(digit % 4 === 1 && { volumes: [`${name}-data`] }),
    ...(digit === 0 && { boundBy: [{ code: "bind-mount", because: `It mounts /srv/${name} of this host and may write to it` }] }),
  };
}

/** Park and Miller's generator: enough for load that only has to look uneven. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
