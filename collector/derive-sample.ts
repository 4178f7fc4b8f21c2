import { growthOfSet, rate, rateOfSet } from "./counter.js";
import type { Failure } from "./probe.js";
import { LABELS, type NodeSample, type WorkloadSample } from "./protocol.js";
import type { HostReading } from "./read-host.js";
import type { WorkloadReading } from "./read-workload.js";

/** Raw values of one moment. */
export interface Reading {
  /** Epoch seconds at its beginning. */
  readonly at: number;
  readonly host: HostReading;
  readonly workloads: readonly WorkloadReading[];
  /** Of containers that do not run. */
  readonly endedNames: readonly string[];
  readonly maintenanceFile: string | null;
  readonly cordonFile: string | null;
  readonly failures: readonly Failure[];
}

/** Bytes since the previous reading; null where unknown. */
export interface Traffic {
  readonly networkReceiveBytes: number | null;
  readonly networkTransmitBytes: number | null;
  readonly diskReadBytes: number | null;
  readonly diskWriteBytes: number | null;
}

const OBEYED_LABELS = "io.evenkeel.";

/** Two readings make a sample. Null when even the node's size is unknown. */
export function deriveSample(node: string, sequence: number, before: Reading, after: Reading): NodeSample | null {
  const { host } = after;
  if (host.cpuCapacityCores === null || host.memoryCapacityBytes === null) return null;
  const earlier = new Map(before.workloads.map((workload) => [workload.container.id, workload]));
  return {
    version: 1,
    node,
    at: after.at,
    sequence,
    cpuCapacityCores: host.cpuCapacityCores,
    memoryCapacityBytes: host.memoryCapacityBytes,
    cpuUsedCores: rate(before.host.cpuUsedSeconds, host.cpuUsedSeconds),
    memoryUsedBytes: host.memoryUsedBytes,
    memoryAvailableBytes: host.memoryAvailableBytes,
    pressure: host.pressure,
    networkReceiveBytesPerSecond: rateOfSet(before.host.network?.receive, host.network?.receive),
    networkTransmitBytesPerSecond: rateOfSet(before.host.network?.transmit, host.network?.transmit),
    diskReadBytesPerSecond: rateOfSet(before.host.disk?.read, host.disk?.read),
    diskWriteBytesPerSecond: rateOfSet(before.host.disk?.write, host.disk?.write),
    maintenanceFile: after.maintenanceFile,
    cordonFile: after.cordonFile,
    workloads: after.workloads.map((workload) => deriveWorkload(earlier.get(workload.container.id), workload)),
    ...(after.endedNames.length > 0 && { endedNames: [...after.endedNames] }),
    failures: after.failures.map(({ source, message }) => `${source}: ${message}`),
  };
}

export function deriveTraffic(before: Reading | null, { host }: Reading): Traffic {
  return {
    networkReceiveBytes: growthOfSet(before?.host.network?.receive, host.network?.receive),
    networkTransmitBytes: growthOfSet(before?.host.network?.transmit, host.network?.transmit),
    diskReadBytes: growthOfSet(before?.host.disk?.read, host.disk?.read),
    diskWriteBytes: growthOfSet(before?.host.disk?.write, host.disk?.write),
  };
}

function deriveWorkload(before: WorkloadReading | undefined, after: WorkloadReading): WorkloadSample {
  const { container } = after;
  return {
    id: container.labels[LABELS.workload] || container.id,
    containerId: container.id,
    name: container.name,
    image: container.image,
    state: container.state === "running" && after.isFrozen ? "frozen" : container.state,
    startedAt: container.startedAt,
    cpuUsedCores: rate(before?.cpuUsedSeconds, after.cpuUsedSeconds),
    memoryUsedBytes: after.memoryUsedBytes,
    memoryLimitBytes: after.memoryLimitBytes,
    cpuLimitCores: after.cpuLimitCores,
    pids: after.pids,
    networks: [...container.networks],
    ...(container.volumes.length > 0 && { volumes: [...container.volumes] }),
    ...(container.boundBy.length > 0 && { boundBy: [...container.boundBy] }),
    labels: Object.fromEntries(Object.entries(container.labels).filter(([name]) => name.startsWith(OBEYED_LABELS))),
  };
}
