import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { HEALTH_SIGNS } from "../policies/types.js";
import type { Traffic } from "./derive-sample.js";
import type { Failure } from "./probe.js";
import type { NodeSample } from "./protocol.js";

/** The scheduler alone can tell whether peers are lost. */
const LOOKED_FOR = HEALTH_SIGNS.filter((kind) => kind !== "peers-lost");

export type CollectorMetrics = ReturnType<typeof makeCollectorMetrics>;

/** Registers the collector's metrics. An unknown value has no series: a gap in a graph is the truth, a zero would be a lie. */
export function makeCollectorMetrics(registry: Registry) {
  const registers = [registry];
  const gauge = <T extends string = never>(name: string, help: string, labelNames: T[] = []) =>
    new Gauge<T>({ name, help, labelNames, registers });
  const counter = <T extends string = never>(name: string, help: string, labelNames: T[] = []) =>
    new Counter<T>({ name, help, labelNames, registers });

  const cpuRatio = gauge("evenkeel_node_cpu_ratio", "CPU in use, of the node's capacity");
  const memoryRatio = gauge("evenkeel_node_memory_ratio", "Memory in use without droppable file cache, of the node's capacity");
  const cpuCapacity = gauge("evenkeel_node_cpu_capacity_cores", "CPU the node has, after limits set on the node itself");
  const memoryCapacity = gauge("evenkeel_node_memory_capacity_bytes", "Memory the node has, after limits set on the node itself");
  const memoryAvailable = gauge("evenkeel_node_memory_available_bytes", "Memory new programs can have");
  const pressure = gauge(
    "evenkeel_node_pressure_ratio",
    "Share of the last 10 s in which some, or all (full), tasks stood still for want of it",
    ["resource", "kind"],
  );
  const network = counter("evenkeel_node_network_bytes_total", "Bytes over the node's network cards since the collector began", [
    "direction",
  ]);
  const disk = counter("evenkeel_node_disk_bytes_total", "Bytes to and from the node's disks since the collector began", ["direction"]);
  const workloadCpu = gauge("evenkeel_workload_cpu_cores", "CPU in use by a workload", ["workload", "name"]);
  const workloadMemory = gauge("evenkeel_workload_memory_bytes", "Working set of a workload", ["workload", "name"]);
  const healthSign = gauge(
    "evenkeel_node_health_sign",
    "1 while the node shows such a sign of failing, 0 while it was looked for and not found",
    ["kind"],
  );
  const duration = new Histogram({
    name: "evenkeel_collector_sample_duration_seconds",
    help: "Time one sample took to read",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const failedReads = counter("evenkeel_collector_failed_reads_total", "Readings that failed, by what was read", ["source"]);
  const lastSample = gauge("evenkeel_collector_last_sample_timestamp_seconds", "When the newest sample that reached Redis was taken");
  const pushFailures = counter("evenkeel_collector_push_failures_total", "Samples that could not be pushed to Redis");
  for (const unset of [cpuRatio, memoryRatio, cpuCapacity, memoryCapacity, memoryAvailable, lastSample]) unset.remove();

  return {
    registry,
    duration,
    failedRead: ({ source }: Failure) => failedReads.inc({ source }),
    pushed: (sample: NodeSample) => lastSample.set(sample.at),
    pushFailed: () => pushFailures.inc(),

    addTraffic(traffic: Traffic) {
      network.inc({ direction: "receive" }, traffic.networkReceiveBytes ?? 0);
      network.inc({ direction: "transmit" }, traffic.networkTransmitBytes ?? 0);
      disk.inc({ direction: "read" }, traffic.diskReadBytes ?? 0);
      disk.inc({ direction: "write" }, traffic.diskWriteBytes ?? 0);
    },

    /** `null`: no sample could be made, so nothing is known. */
    show(sample: NodeSample | null) {
      setOrRemove(cpuRatio, ratio(sample?.cpuUsedCores, sample?.cpuCapacityCores));
      setOrRemove(memoryRatio, ratio(sample?.memoryUsedBytes, sample?.memoryCapacityBytes));
      setOrRemove(cpuCapacity, sample?.cpuCapacityCores);
      setOrRemove(memoryCapacity, sample?.memoryCapacityBytes);
      setOrRemove(memoryAvailable, sample?.memoryAvailableBytes);
      pressure.reset();
      for (const [resource, { someRatio, fullRatio }] of Object.entries(sample?.pressure ?? {})) {
        if (someRatio !== null) pressure.set({ resource, kind: "some" }, someRatio);
        if (fullRatio !== null) pressure.set({ resource, kind: "full" }, fullRatio);
      }
      healthSign.reset();
      const unread = new Set(sample?.health?.unread.map(({ kind }) => kind));
      const shown = new Set(sample?.health?.signs.map(({ kind }) => kind));
      for (const kind of sample?.health ? LOOKED_FOR : []) {
        if (shown.has(kind) || !unread.has(kind)) healthSign.set({ kind }, shown.has(kind) ? 1 : 0);
      }
      workloadCpu.reset();
      workloadMemory.reset();
      for (const { id: workload, name, cpuUsedCores, memoryUsedBytes } of sample?.workloads ?? []) {
        if (cpuUsedCores !== null) workloadCpu.set({ workload, name }, cpuUsedCores);
        if (memoryUsedBytes !== null) workloadMemory.set({ workload, name }, memoryUsedBytes);
      }
    },
  };
}

function ratio(used: number | null | undefined, capacity: number | undefined): number | null {
  return used === null || used === undefined || capacity === undefined ? null : used / capacity;
}

function setOrRemove(gauge: Gauge<never>, value: number | null | undefined): void {
  if (value === null || value === undefined) gauge.remove();
  else gauge.set(value);
}
