import { Random } from "../../policies/search/random.js";
import type { NodeState, Snapshot, WorkloadState } from "../../policies/types.js";

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
/** Three generations of machines, as fleets have them. */
const NODE_SIZES = [
  { cores: 16, memoryBytes: 64 * GIBIBYTE },
  { cores: 32, memoryBytes: 128 * GIBIBYTE },
  { cores: 64, memoryBytes: 256 * GIBIBYTE },
] as const;
const MEAN_CPU_RATIO = 0.55;
const MEAN_MEMORY_RATIO = 0.5;
/** Spread of workload sizes: the natural logarithm's standard deviation. */
const CPU_SPREAD = 0.9;
const MEMORY_SPREAD = 0.8;
/** How unevenly arrivals have favoured some nodes over others. */
const FAVOUR_SPREAD = 0.8;
const FULL_RATIO = 0.97;
/** One workload in ten is a replica, and has two siblings that must be elsewhere. */
const REPLICA_SHARE = 0.1;
const REPLICAS = 3;

/**
 * A fleet in the state that planners are for: sizes and use as fleets have them, placed unevenly. Every workload has a whole
 * number of MiB and of hundredths of a core, because that is what the peers' formats can say. The same seed gives the same fleet.
 */
export function generateCluster(nodeCount: number, workloadCount: number, seed: number): Snapshot {
  const random = new Random(seed);
  const sizes = Array.from({ length: nodeCount }, () => NODE_SIZES[random.below(NODE_SIZES.length)] as (typeof NODE_SIZES)[number]);
  const total = (of: (size: (typeof NODE_SIZES)[number]) => number) => sizes.reduce((sum, size) => sum + of(size), 0);
  const cpus = drawSizes(workloadCount, CPU_SPREAD, random, MEAN_CPU_RATIO * total((size) => size.cores), 0.01, 16 * 0.8);
  const memories = drawSizes(
    workloadCount,
    MEMORY_SPREAD,
    random,
    (MEAN_MEMORY_RATIO * total((s) => s.memoryBytes)) / MEBIBYTE,
    1,
    48 * 1024,
  );
  const placer = new Placer(sizes, random);
  const workloads = cpus.map((cpuCores, index): WorkloadState => {
    const replicas = workloadCount * REPLICA_SHARE;
    const group = index < replicas ? `g${Math.floor(index / REPLICAS)}` : null;
    const memoryBytes = (memories[index] as number) * MEBIBYTE;
    return {
      id: `w${index}`,
      name: `w${index}`,
      node: `n${placer.place(cpuCores, memoryBytes, group)}`,
      cpuUsedCores: cpuCores,
      memoryUsedBytes: memoryBytes,
      cpuLimitCores: null,
      memoryLimitBytes: null,
      constraints: { mode: "auto", antiAffinityGroup: group, pinnedTo: [] },
      lastMovedAt: null,
    };
  });
  return { at: 0, nodes: sizes.map((size, i) => placer.toNode(size, i)), workloads, migrations: [] };
}

/** Log-normal sizes that add up to `total`, rounded to `unit`. */
function drawSizes(count: number, spread: number, random: Random, total: number, unit: number, largest: number): number[] {
  const raw = Array.from({ length: count }, () => Math.exp(spread * normal(random)));
  const scale = total / raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => Number((Math.max(1, Math.round(Math.min(value * scale, largest) / unit)) * unit).toFixed(2)));
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.ratio())) * Math.cos(2 * Math.PI * random.ratio());
}

class Placer {
  private readonly cpuUsed: number[];
  private readonly memoryUsed: number[];
  private readonly groups: Set<string>[];
  /** Running sums of the nodes' weights, to draw from. */
  private readonly cumulative: number[] = [];

  constructor(
    private readonly sizes: readonly (typeof NODE_SIZES)[number][],
    private readonly random: Random,
  ) {
    this.cpuUsed = sizes.map(() => 0);
    this.memoryUsed = sizes.map(() => 0);
    this.groups = sizes.map(() => new Set());
    let sum = 0;
    for (const size of sizes) {
      sum += size.cores * Math.exp(FAVOUR_SPREAD * normal(random));
      this.cumulative.push(sum);
    }
  }

  place(cpuCores: number, memoryBytes: number, group: string | null): number {
    const drawn = this.draw();
    for (let step = 0; step < this.sizes.length; step++) {
      const node = (drawn + step) % this.sizes.length;
      const size = this.sizes[node] as (typeof NODE_SIZES)[number];
      const cpu = (this.cpuUsed[node] as number) + cpuCores;
      const memory = (this.memoryUsed[node] as number) + memoryBytes;
      if (cpu > size.cores * FULL_RATIO || memory > size.memoryBytes * FULL_RATIO) continue;
      const groups = this.groups[node] as Set<string>;
      if (group !== null && groups.has(group)) continue;
      if (group !== null) groups.add(group);
      this.cpuUsed[node] = cpu;
      this.memoryUsed[node] = memory;
      return node;
    }
    throw new Error("the cluster is too small for its workloads: give it more nodes");
  }

  toNode(size: (typeof NODE_SIZES)[number], index: number): NodeState {
    return {
      id: `n${index}`,
      state: "ready",
      cpuCapacityCores: size.cores,
      memoryCapacityBytes: size.memoryBytes,
      cpuUsedCores: this.cpuUsed[index] as number,
      memoryUsedBytes: this.memoryUsed[index] as number,
      history: [],
      maintenance: null,
      labels: {},
    };
  }

  private draw(): number {
    const at = this.random.ratio() * (this.cumulative.at(-1) as number);
    let low = 0;
    let high = this.cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.cumulative[middle] as number) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
