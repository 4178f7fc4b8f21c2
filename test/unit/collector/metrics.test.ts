import { expect } from "chai";
import { Registry } from "prom-client";
import { makeCollectorMetrics } from "../../../collector/metrics.js";
import { NO_PRESSURE } from "../../../collector/pressure.js";
import type { NodeSample, WorkloadSample } from "../../../collector/protocol.js";

const workload = (fields: Partial<WorkloadSample>): WorkloadSample => ({
  id: "shop-web",
  containerId: "a".repeat(64),
  name: "web",
  image: "nginx:1",
  state: "running",
  startedAt: null,
  cpuUsedCores: 0.5,
  memoryUsedBytes: 100,
  memoryLimitBytes: null,
  cpuLimitCores: null,
  pids: 1,
  labels: {},
  ...fields,
});
const sample = (fields: Partial<NodeSample> = {}): NodeSample => ({
  version: 1,
  node: "n1",
  at: 1_700_000_000,
  sequence: 1,
  cpuCapacityCores: 2,
  memoryCapacityBytes: 1000,
  cpuUsedCores: 1,
  memoryUsedBytes: 250,
  memoryAvailableBytes: 750,
  pressure: { cpu: { someRatio: 0.1, fullRatio: null }, memory: NO_PRESSURE, io: NO_PRESSURE },
  networkReceiveBytesPerSecond: null,
  networkTransmitBytesPerSecond: null,
  diskReadBytesPerSecond: null,
  diskWriteBytesPerSecond: null,
  maintenanceFile: null,
  workloads: [workload({})],
  failures: [],
  ...fields,
});

/** `name{labels}` -> value of all series that would be scraped. */
async function seriesOf(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]));
}

describe("the collector's metrics", () => {
  it("show ratios of the node's capacity and each workload by id and name", async () => {
    const { registry, show } = makeCollectorMetrics(new Registry());
    show(sample());
    expect(await seriesOf(registry)).to.include({
      evenkeel_node_cpu_ratio: 0.5,
      evenkeel_node_memory_ratio: 0.25,
      'evenkeel_node_pressure_ratio{resource="cpu",kind="some"}': 0.1,
      'evenkeel_workload_cpu_cores{workload="shop-web",name="web"}': 0.5,
    });
  });

  it("have no series, rather than a zero, for what is unknown", async () => {
    const { registry, show } = makeCollectorMetrics(new Registry());
    const nothingOfNode = (await seriesOf(registry)) as object;
    show(sample());
    show(sample({ cpuUsedCores: null, workloads: [workload({ cpuUsedCores: null })] }));
    const series = await seriesOf(registry);
    expect(series).not.to.have.any.keys("evenkeel_node_cpu_ratio", 'evenkeel_workload_cpu_cores{workload="shop-web",name="web"}');
    expect(series).not.to.have.property('evenkeel_node_pressure_ratio{resource="memory",kind="some"}');
    show(null);
    expect(Object.keys(await seriesOf(registry)).filter((name) => /_node_(cpu|memory|pressure)|_workload_/.test(name))).to.deep.equal([]);
    expect(nothingOfNode).not.to.have.property("evenkeel_node_cpu_ratio");
  });

  it("forget a workload that has left", async () => {
    const { registry, show } = makeCollectorMetrics(new Registry());
    show(sample());
    show(sample({ workloads: [] }));
    expect(Object.keys(await seriesOf(registry)).filter((name) => name.includes("shop-web"))).to.deep.equal([]);
  });

  it("count traffic and failed reads, and nothing for unknown traffic", async () => {
    const { registry, addTraffic, failedRead } = makeCollectorMetrics(new Registry());
    addTraffic({ networkReceiveBytes: 10, networkTransmitBytes: null, diskReadBytes: 3, diskWriteBytes: null });
    addTraffic({ networkReceiveBytes: 5, networkTransmitBytes: null, diskReadBytes: null, diskWriteBytes: null });
    failedRead({ source: "disk", message: "" });
    expect(await seriesOf(registry)).to.include({
      'evenkeel_node_network_bytes_total{direction="receive"}': 15,
      'evenkeel_node_network_bytes_total{direction="transmit"}': 0,
      'evenkeel_node_disk_bytes_total{direction="read"}': 3,
      'evenkeel_collector_failed_reads_total{source="disk"}': 1,
    });
  });
});
