import { expect } from "chai";
import type { Counter } from "../../../collector/counter.js";
import { deriveSample, deriveTraffic, type Reading } from "../../../collector/derive-sample.js";
import { NO_PRESSURE } from "../../../collector/pressure.js";
import { nodeSampleSchema } from "../../../collector/protocol.js";
import type { HostReading } from "../../../collector/read-host.js";
import type { WorkloadReading } from "../../../collector/read-workload.js";
import { CONTAINER } from "./fixtures.js";

const counter = (total: number, readAtSeconds: number, origin = "cgroup"): Counter => ({ total, readAtSeconds, origin });

const host = (fields: Partial<HostReading> = {}): HostReading => ({
  cpuCapacityCores: 4,
  cpuUsedSeconds: counter(100, 0),
  memoryCapacityBytes: 1000,
  memoryUsedBytes: 400,
  memoryAvailableBytes: 600,
  pressure: { cpu: NO_PRESSURE, memory: NO_PRESSURE, io: NO_PRESSURE },
  network: null,
  disk: null,
  ...fields,
});
const workload = (fields: Partial<WorkloadReading> = {}): WorkloadReading => ({
  container: CONTAINER,
  isFrozen: false,
  cpuUsedSeconds: counter(10, 0),
  cpuLimitCores: null,
  memoryUsedBytes: 50,
  memoryLimitBytes: null,
  pids: 3,
  ...fields,
});
const reading = (hostFields: Partial<HostReading> = {}, workloads: WorkloadReading[] = []): Reading => ({
  at: 1_700_000_000,
  host: host(hostFields),
  workloads,
  endedNames: [],
  maintenanceFile: null,
  cordonFile: null,
  failures: [],
});
const derive = (before: Reading, after: Reading) => deriveSample("n1", 7, before, after)!;

describe("making a sample of two readings", () => {
  it("gives CPU as cores over the time that really passed", () => {
    const before = reading({ cpuUsedSeconds: counter(100, 10) }, [workload({ cpuUsedSeconds: counter(10, 10) })]);
    const after = reading({ cpuUsedSeconds: counter(112, 18) }, [workload({ cpuUsedSeconds: counter(12, 14) })]);
    const sample = derive(before, after);
    expect(sample.cpuUsedCores).to.equal(1.5);
    expect(sample.workloads[0]?.cpuUsedCores).to.equal(0.5);
  });

  it("fits the wire format", () => {
    expect(() => nodeSampleSchema.parse(derive(reading(), reading({}, [workload()])))).not.to.throw();
  });

  it("gives zero, not unknown, for a paused container: its counter stands still", () => {
    const paused = workload({ container: { ...CONTAINER, state: "paused" }, isFrozen: true });
    const later = { ...paused, cpuUsedSeconds: counter(10, 5) };
    const [sample] = derive(reading({}, [paused]), reading({}, [later])).workloads;
    expect(sample).to.include({ state: "paused", cpuUsedCores: 0 });
  });

  it("calls a running container whose cgroup is frozen frozen", () => {
    const [sample] = derive(reading(), reading({}, [workload({ isFrozen: true })])).workloads;
    expect(sample?.state).to.equal("frozen");
  });

  it("gives unknown for a container seen the first time, and for one whose counter began anew", () => {
    const after = reading({}, [workload({ cpuUsedSeconds: counter(2, 5) })]);
    expect(derive(reading(), after).workloads[0]?.cpuUsedCores).to.equal(null);
    expect(derive(reading({}, [workload()]), after).workloads[0]?.cpuUsedCores).to.equal(null);
  });

  it("does not compare counters of the machine with counters of a cgroup", () => {
    const before = reading({ cpuUsedSeconds: counter(100, 0, "proc") });
    expect(derive(before, reading({ cpuUsedSeconds: counter(200, 5, "cgroup") })).cpuUsedCores).to.equal(null);
  });

  it("does not take a network card that appears for traffic", () => {
    const network = (...cards: [string, number, number][]) => {
      const receive = new Map(cards.map(([name, total, at]) => [name, counter(total, at, "net")]));
      return { network: { receive, transmit: receive } };
    };
    const before = reading(network(["eth0", 1000, 0]));
    const after = reading(network(["eth0", 1500, 5], ["eth1", 9_000_000, 5]));
    expect(derive(before, after).networkReceiveBytesPerSecond).to.equal(100);
    expect(deriveTraffic(before, after).networkReceiveBytes).to.equal(500);
  });

  it("is nothing at all while the node's size is unknown", () => {
    expect(deriveSample("n1", 0, reading(), reading({ cpuCapacityCores: null }))).to.equal(null);
    expect(deriveSample("n1", 0, reading(), reading({ memoryCapacityBytes: null }))).to.equal(null);
  });

  it("names a workload by its label, else by its container, and passes on only Evenkeel's labels", () => {
    const bare = workload({ container: { ...CONTAINER, labels: {} } });
    const [labelled, unlabelled] = derive(reading(), reading({}, [workload(), bare])).workloads;
    expect(labelled?.id).to.equal("shop-web");
    expect(unlabelled?.id).to.equal(CONTAINER.id);
    expect(labelled?.labels).to.deep.equal({ "io.evenkeel.workload": "shop-web" });
  });

  it("tells a workload's volumes and what binds it to its node, and spends no word on those that have none", () => {
    const boundBy = [{ code: "bind-mount", because: "It mounts /srv of this host and may write to it" }];
    const bound = workload({ container: { ...CONTAINER, volumes: ["data"], boundBy } });
    const sample = nodeSampleSchema.parse(derive(reading(), reading({}, [bound, workload()])));
    expect(sample.workloads[0]).to.deep.include({ volumes: ["data"], boundBy });
    expect(sample.workloads[1]).to.not.have.any.keys("volumes", "boundBy");
  });

  it("tells the names of containers that do not run, and spends no word on there being none", () => {
    const sample = (endedNames: string[]) => nodeSampleSchema.parse(derive(reading(), { ...reading(), endedNames }));
    expect(sample(["old"]).endedNames).to.deep.equal(["old"]);
    expect(sample([])).to.not.have.property("endedNames");
  });

  it("tells in words what could not be read", () => {
    const after = { ...reading(), failures: [{ source: "disk" as const, message: "/proc/diskstats: EIO" }] };
    expect(derive(reading(), after).failures).to.deep.equal(["disk: /proc/diskstats: EIO"]);
  });
});
