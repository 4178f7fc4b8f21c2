import fc from "fast-check";
import { DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../../../policies/config.js";
import type { NodePoint, NodeState, OpenMigration, Snapshot, WorkloadState } from "../../../policies/types.js";

export const NOW = 100_000;
const GIBIBYTE = 2 ** 30;

const anyLoad = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);

interface NodeShape {
  cores: number;
  gibibytes: number;
  idleCpu: number;
  idleMemory: number;
  heat: "flat" | "flat" | "spiked" | "short" | "silent" | "failed";
  maintenance: boolean;
  cordoned: boolean;
  executorSilent: boolean;
  zone: string | null;
  health: "out-of-memory-kills" | "disk-failing" | null;
  architecture: string | null;
  keptEmpty: boolean;
  networks: string[] | null;
  endedNames: string[] | null;
}

const anyNode: fc.Arbitrary<NodeShape> = fc.record({
  cores: fc.constantFrom(2, 4, 8, 8),
  gibibytes: fc.constantFrom(8, 16, 16),
  idleCpu: fc.constantFrom(0, 0.05, 0.3, 0.6),
  idleMemory: fc.constantFrom(0.05, 0.2, 0.5),
  heat: fc.constantFrom("flat", "flat", "flat", "flat", "spiked", "short", "silent", "failed"),
  maintenance: fc.constantFrom(false, false, false, false, true),
  cordoned: fc.constantFrom(false, false, false, false, false, true),
  executorSilent: fc.constantFrom(false, false, false, false, false, false, false, false, true),
  zone: fc.constantFrom(null, "z1", "z2", "z3"),
  health: fc.constantFrom(null, null, null, null, null, null, "out-of-memory-kills" as const, "disk-failing" as const),
  architecture: fc.constantFrom(null, "x86_64", "x86_64", "x86_64", "x86_64", "x86_64", "aarch64"),
  keptEmpty: fc.constantFrom(false, false, false, true),
  networks: fc.constantFrom<(string[] | null)[]>(null, ["bridge", "lan"], ["bridge", "lan"], ["bridge", "lan"], ["bridge"]),
  endedNames: fc.constantFrom<(string[] | null)[]>(null, null, null, ["twin", "w3"]),
});

const anyWorkload = fc.record({
  on: fc.nat(),
  cpu: fc.option(anyLoad, { freq: 25 }),
  memory: fc.option(anyLoad, { freq: 25 }),
  memoryShare: fc.constantFrom(0.02, 0.02, 0.4),
  cpuLimit: fc.option(fc.constantFrom(1, 2)),
  memoryLimit: fc.option(fc.constantFrom(1, 4)),
  mode: fc.constantFrom("auto", "auto", "auto", "auto", "stopcopy", "precopy", "cold", "never"),
  group: fc.constantFrom(null, null, null, "g1", "g2"),
  pins: fc.oneof(
    { weight: 12, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 3 }) },
  ),
  together: fc.constantFrom(null, null, null, null, null, "t1", "t2"),
  asOne: fc.constantFrom(null, null, null, null, null, null, "o1", "o2"),
  spread: fc.constantFrom(null, null, null, null, "s1"),
  budget: fc.constantFrom(null, null, null, 1, 2),
  priority: fc.constantFrom(0, 0, 0, 5),
  architecture: fc.constantFrom(null, null, null, null, "x86_64", "x86_64", "aarch64"),
  networks: fc.constantFrom<(string[] | undefined)[]>(undefined, ["bridge"], ["bridge"], ["lan"]),
  volumes: fc.constantFrom<(string[] | undefined)[]>(undefined, undefined, undefined, undefined, ["v1"], ["v1", "v2"]),
  name: fc.constantFrom(null, null, null, null, null, null, "twin"),
  bound: fc.constantFrom(false, false, false, false, false, false, false, true),
  dirty: fc.constantFrom(null, 0, 10_000_000, 200_000_000),
  rested: fc.constantFrom(null, null, null, null, null, null, 10, 300, 5000, 5000),
  migratesTo: fc.option(fc.nat(), { freq: 9, nil: null }).map((to) => to),
  migrates: fc.integer({ min: 0, max: 19 }).map((dice) => dice === 0),
});

/** Fleets of every kind of trouble; each node's use is what its workloads use and some more, as far as it has it. */
export const anySnapshot: fc.Arbitrary<Snapshot> = fc
  .tuple(
    fc.array(anyNode, { minLength: 1, maxLength: 8, size: "max" }),
    fc.array(anyWorkload, { maxLength: 24, size: "max" }),
    fc.constantFrom(null, null, null, "n1", "n2"),
  )
  .map(([nodeShapes, workloadShapes, quietNode]) => {
    const workloads = workloadShapes.map((shape, index): WorkloadState => {
      const home = nodeShapes[shape.on % nodeShapes.length]!;
      return {
        id: `w${index}`,
        name: shape.name ?? `w${index}`,
        node: `n${shape.on % nodeShapes.length}`,
        cpuUsedCores: shape.cpu === null ? null : shape.cpu * 0.5 * home.cores,
        memoryUsedBytes: shape.memory === null ? null : shape.memory * shape.memoryShare * home.gibibytes * GIBIBYTE,
        cpuLimitCores: shape.cpuLimit,
        memoryLimitBytes: shape.memoryLimit === null ? null : shape.memoryLimit * GIBIBYTE,
        constraints: {
          mode: shape.mode as WorkloadState["constraints"]["mode"],
          antiAffinityGroup: shape.group,
          pinnedTo: shape.pins.map((pin) => `n${pin}`),
          affinityGroup: shape.asOne ?? shape.together,
          group: shape.asOne,
          zoneSpreadGroup: shape.spread,
          disruptionBudget: shape.budget === null ? null : { group: "b", moving: shape.budget },
          priority: shape.priority,
        },
        lastMovedAt: shape.rested === null ? null : NOW - shape.rested,
        dirtyBytesPerSecond: shape.dirty,
        architecture: shape.architecture,
        ...(shape.networks && { networks: shape.networks }),
        ...(shape.volumes && { volumes: shape.volumes }),
        ...(shape.bound && { boundBy: [{ code: "bind-mount", because: "It mounts /srv of this host and may write to it" }] }),
      };
    });
    const migrations = workloadShapes.flatMap((shape, index): OpenMigration[] => {
      const from = shape.on % nodeShapes.length;
      const to = (shape.migratesTo ?? 0) % nodeShapes.length;
      return shape.migrates && from !== to ? [{ id: `m${index}`, workload: `w${index}`, from: `n${from}`, to: `n${to}` }] : [];
    });
    const windows = quietNode === null ? [] : [{ node: quietNode, active: true, reason: "closing the books" }];
    return { at: NOW, nodes: nodeShapes.map((shape, index) => buildNode(shape, index, workloads)), workloads, migrations, windows };
  });

function buildNode(shape: NodeShape, index: number, workloads: readonly WorkloadState[]): NodeState {
  const id = `n${index}`;
  const mine = workloads.filter((workload) => workload.node === id);
  const cpuCapacityCores = shape.cores;
  const memoryCapacityBytes = shape.gibibytes * GIBIBYTE;
  const cpuUsedCores = Math.min(
    shape.idleCpu * cpuCapacityCores + mine.reduce((sum, { cpuUsedCores }) => sum + (cpuUsedCores ?? 0), 0),
    cpuCapacityCores,
  );
  const memoryUsedBytes = Math.min(
    shape.idleMemory * memoryCapacityBytes + mine.reduce((sum, { memoryUsedBytes }) => sum + (memoryUsedBytes ?? 0), 0),
    memoryCapacityBytes,
  );
  const history: NodePoint[] = [];
  for (let at = NOW - (shape.heat === "short" ? 30 : 300); at <= NOW; at += 10) {
    history.push({ at, cpuRatio: cpuUsedCores / cpuCapacityCores, memoryRatio: memoryUsedBytes / memoryCapacityBytes });
  }
  if (shape.heat === "spiked")
    history[history.length - 1] = { at: NOW, cpuRatio: 0.97, memoryRatio: memoryUsedBytes / memoryCapacityBytes };
  return {
    id,
    state: shape.heat === "silent" ? "unknown" : "ready",
    cpuCapacityCores,
    memoryCapacityBytes,
    cpuUsedCores: shape.heat === "failed" ? null : cpuUsedCores,
    memoryUsedBytes,
    history,
    maintenance: shape.maintenance ? { since: NOW - 10, deadline: index % 2 ? NOW + index * 100 : null, reason: "test" } : null,
    labels: {
      ...(shape.zone === null ? {} : { "io.evenkeel.zone": shape.zone }),
      ...(shape.keptEmpty ? { "io.evenkeel.prefer-empty": "true" } : {}),
    },
    cordoned: shape.cordoned,
    executorSilent: shape.executorSilent,
    health: shape.health === null ? [] : [{ kind: shape.health, since: NOW - 60, detail: "as read" }],
    architecture: shape.architecture,
    networks: shape.networks,
    ...(shape.endedNames && { endedNames: shape.endedNames }),
  };
}

export const anyConfig: fc.Arbitrary<PolicyConfig> = fc
  .record({
    cpuDetectRatio: fc.constantFrom(0.6, 0.8, 0.9),
    deadBand: fc.constantFrom(0, 0.15, 0.3),
    holdSeconds: fc.constantFrom(0, 60),
    minimumGainRatio: fc.constantFrom(0, 0.05),
    headroomCpu: fc.constantFrom(0.7, 0.75, 1),
    cooldownSeconds: fc.constantFrom(0, 600),
    perNode: fc.constantFrom(1, 2, 100),
    fleet: fc.constantFrom(1, 4, 100),
    balance: fc.boolean(),
    repair: fc.constantFrom(false, false, true),
    example: fc.constantFrom(false, false, true),
    horizonSeconds: fc.constantFrom(0, 600),
    movesPerHour: fc.constantFrom(null, null, 5),
  })
  .map((shape) => ({
    ...DEFAULT_POLICY_CONFIG,
    overload: {
      ...DEFAULT_POLICY_CONFIG.overload,
      cpuDetectRatio: shape.cpuDetectRatio,
      cpuFixRatio: shape.cpuDetectRatio - shape.deadBand,
      holdSeconds: shape.holdSeconds,
      settleSeconds: 30,
      minimumGainRatio: shape.minimumGainRatio,
    },
    headroom: { cpuRatio: shape.headroomCpu, memoryRatio: 0.9 },
    cooldownSeconds: shape.cooldownSeconds,
    concurrency: { perNode: shape.perNode, fleet: shape.fleet },
    movesPerHour: shape.movesPerHour,
    balance: { ...DEFAULT_POLICY_CONFIG.balance, enabled: shape.balance, movesPerPlan: 100 },
    placement: { repair: shape.repair },
    example: { ...DEFAULT_POLICY_CONFIG.example, enabled: shape.example },
    cost: { ...DEFAULT_POLICY_CONFIG.cost, horizonSeconds: shape.horizonSeconds },
  }));

export function withoutLimits(config: PolicyConfig): PolicyConfig {
  return { ...config, concurrency: { perNode: 10_000, fleet: 10_000 }, movesPerHour: null };
}
