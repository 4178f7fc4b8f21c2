import { z } from "zod";

/**
 * The wire format of one reading. `null` is "could not be read": it stays unknown all the way to the decision.
 * Units are in the names; rates are per second over the interval since the previous sample.
 */
const amount = z.number().nonnegative().nullable();

export const workloadSampleSchema = z.object({
  id: z.string().min(1),
  containerId: z.string().min(12),
  name: z.string(),
  image: z.string(),
  /** `restarting`: between two attempts of its restart policy; it has no process now but will come back here. */
  state: z.enum(["running", "paused", "frozen", "restarting"]),
  startedAt: z.number().nullable(),
  cpuUsedCores: amount,
  /** Working set: usage less inactive file cache, as the kubelet counts it. */
  memoryUsedBytes: amount,
  memoryLimitBytes: amount,
  cpuLimitCores: amount,
  pids: amount,
  /** Names of the networks that it is attached to; a collector that does not look at them says nothing. */
  networks: z.array(z.string()).nullish(),
  /** Names of its volumes, but for those that nobody has named. Absent: it has none, or the collector does not look. */
  volumes: z.array(z.string()).nullish(),
  /**
   * What of its mounts keeps it on its node: the first codes of docs/preflight.md that the executors would find, with their words. Absent: nothing
   * does, or the collector does not look.
   */
  boundBy: z.array(z.object({ code: z.string(), because: z.string() })).nullish(),
  /** Only labels under `io.evenkeel.`. */
  labels: z.record(z.string(), z.string()),
});

/** Signs that the node may soon fail; kinds are HealthSignKind of policies/types.ts, and a reader ignores those that it does not know. */
const healthSchema = z.object({
  /** Epoch seconds of the look. */
  at: z.number(),
  /** `since`: epoch seconds of when it was first seen. */
  signs: z.array(z.object({ kind: z.string(), since: z.number(), detail: z.string() })),
  /** Kinds that could not be looked for here, and why: of these nothing is known. */
  unread: z.array(z.object({ kind: z.string(), because: z.string() })),
});

const pressureSchema = z.object({ someRatio: amount, fullRatio: amount });

export const nodeSampleSchema = z.object({
  version: z.literal(1),
  node: z.string().min(1),
  /** Epoch seconds at the beginning of the reading: what had been started by then is in it, unless it has ended since. */
  at: z.number(),
  sequence: z.number().int().nonnegative(),
  cpuCapacityCores: z.number().positive(),
  memoryCapacityBytes: z.number().positive(),
  cpuUsedCores: amount,
  memoryUsedBytes: amount,
  memoryAvailableBytes: amount,
  /** PSI avg10 as a ratio; each null where the kernel keeps none. */
  pressure: z.object({ cpu: pressureSchema, memory: pressureSchema, io: pressureSchema }),
  networkReceiveBytesPerSecond: amount,
  networkTransmitBytesPerSecond: amount,
  diskReadBytesPerSecond: amount,
  diskWriteBytesPerSecond: amount,
  /** A file on the node asks for maintenance (its text is the reason); null = no file. */
  maintenanceFile: z.string().nullable(),
  /** The same for a cordon; a collector that knows no cordon says nothing. */
  cordonFile: z.string().nullish(),
  workloads: z.array(workloadSampleSchema),
  /** Names of containers there that do not run, in order, the first 64 of them. Absent: there are none, or the collector does not tell. */
  endedNames: z.array(z.string()).nullish(),
  /** Null: not looked yet. */
  health: healthSchema.nullish(),
  /** What could not be read, in words; empty when all went well. */
  failures: z.array(z.string()),
});

export const nodeIdentitySchema = z.object({
  node: z.string().min(1),
  hostname: z.string(),
  kernel: z.string(),
  architecture: z.string(),
  cpuModel: z.string(),
  cpuCapacityCores: z.number().positive(),
  memoryCapacityBytes: z.number().positive(),
  engine: z.object({ name: z.string(), version: z.string() }).nullable(),
  /** `host:port` of the node's executor for other executors (mTLS). */
  peerAddress: z.string(),
  labels: z.record(z.string(), z.string()),
  /** Names of the container networks that exist there. Null: its engine did not tell; absent: its collector does not ask. */
  networks: z.array(z.string()).nullish(),
});

/** A node's means of one half hour of the day (UTC), one for each of the last days, in the hash `pattern` of the node by half hour. */
export const PATTERN_SLOT_SECONDS = 1800;
const patternPointSchema = z.tuple([z.number(), amount, amount]);
/** `[middle of the half hour in epoch seconds, CPU ratio, memory ratio]`, oldest first. */
export const patternSlotSchema = z.array(patternPointSchema);
export type PatternPoint = z.infer<typeof patternPointSchema>;

const DAY_SECONDS = 86_400;

/** Which half hour of the day this is, 0 to 47. */
export function patternSlot(at: number): number {
  return Math.floor((((at % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS) / PATTERN_SLOT_SECONDS);
}

export type WorkloadSample = z.infer<typeof workloadSampleSchema>;
export type NodeSample = z.infer<typeof nodeSampleSchema>;
export type NodeHealth = z.infer<typeof healthSchema>;
export type NodeIdentity = z.infer<typeof nodeIdentitySchema>;

/** Labels on a container that Evenkeel obeys. */
export const LABELS = {
  workload: "io.evenkeel.workload",
  mode: "io.evenkeel.mode",
  /** `cold`: what CRIU refuses is stopped, moved and started instead. */
  fallback: "io.evenkeel.fallback",
  antiAffinity: "io.evenkeel.anti-affinity",
  affinity: "io.evenkeel.affinity",
  /** Workloads of one node that move as one. */
  group: "io.evenkeel.group",
  pin: "io.evenkeel.pin",
  /** Folders of its host that may move with it, with commas between. */
  bindMounts: "io.evenkeel.bind-mounts",
  /** `close`: a move may close the connections that cannot follow. */
  connections: "io.evenkeel.connections",
} as const;
