import { expect } from "chai";
import { buildPicture } from "../../../scheduler/fleet/build-snapshot.js";
import { rememberFirstSeen } from "../../../scheduler/fleet/maintenance.js";
import type { FleetReading } from "../../../scheduler/fleet/read-fleet.js";
import { rememberRecentUse } from "../../../scheduler/fleet/recent-use.js";
import { rememberLoads } from "../../../scheduler/fleet/remember-loads.js";
import { makeSample } from "../../support/reported-fleet.js";

const GIBIBYTE = 2 ** 30;

const reading = (at: number, cpuUsedCores: number, withheldBytes = 0): FleetReading => {
  const sample = makeSample({ id: "n1", workloads: [{ name: "web", cpuUsedCores }] }, at);
  const available = { memoryAvailableBytes: sample.memoryAvailableBytes! - withheldBytes };
  return {
    at,
    nodes: [
      {
        id: "n1",
        lastSeenAt: at,
        sample: { ...sample, ...available },
        trouble: null,
        identity: null,
        history: [],
        flag: null,
        cordon: null,
      },
    ],
    owners: {},
    lastMoved: {},
    executors: new Map(),
    power: new Map(),
    homecomings: new Map(),
    pause: null,
    patterns: new Map(),
    openMigrations: [],
    closedMigrations: [],
  };
};
const makeContext = () => ({
  windows: [],
  onlyAsked: false,
  firstSeen: rememberFirstSeen(),
  remembered: new Map(),
  recentUse: rememberRecentUse(),
  loads: rememberLoads(),
  smoothingSeconds: 20,
  powerSaving: null,
  powerDeadlineSeconds: 300,
  sampleTtlSeconds: 20,
});

describe("The snapshot", () => {
  it("holds what workloads used of late, as soon as more than one reading has told", () => {
    const context = makeContext();
    expect(buildPicture(reading(100, 3), context).snapshot.workloads[0]).to.not.have.property("cpuPeakCores");
    const [workload] = buildPicture(reading(105, 0.5), context).snapshot.workloads;
    expect(workload).to.include({ cpuUsedCores: 0.5, cpuPeakCores: 3 });
    expect(workload!.cpuSmoothedCores).to.be.within(2, 3);
  });

  it("holds what is remembered of workloads for hours, and nothing of it while nobody asks for it", () => {
    const cpuPast = { at: 100, seconds: 600, mean: 3, variance: 0.5 };
    const remembering = { ...makeContext(), loads: { of: () => cpuPast } };
    expect(buildPicture(reading(100, 3), remembering).snapshot.workloads[0]!.cpuPast).to.equal(cpuPast);
    expect(buildPicture(reading(100, 3), makeContext()).snapshot.workloads[0]).to.not.have.property("cpuPast");
  });

  it("holds for how long a reading is believed", () => {
    expect(buildPicture(reading(100, 1), { ...makeContext(), sampleTtlSeconds: 60 }).snapshot.sampleTtlSeconds).to.equal(60);
  });

  it("holds what a node may not use of its own memory because the machine has no more, and nothing of it where it may", () => {
    expect(buildPicture(reading(100, 1, GIBIBYTE), makeContext()).snapshot.nodes[0]).to.include({ memoryWithheldBytes: GIBIBYTE });
    expect(buildPicture(reading(100, 1), makeContext()).snapshot.nodes[0]).to.not.have.property("memoryWithheldBytes");
  });
});
