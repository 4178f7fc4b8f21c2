import { expect } from "chai";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { DEFAULT_POLICY_CONFIG } from "../../../policies/config.js";
import { decide } from "../../../policies/decide.js";
import { buildPicture } from "../../../scheduler/fleet/build-snapshot.js";
import type { FleetReading } from "../../../scheduler/fleet/read-fleet.js";
import { closedMove, makeContext, readingOf } from "./fleet-reading.js";

const GIBIBYTE = 2 ** 30;

const reading = (at: number, cpuUsedCores: number, withheldBytes = 0): FleetReading => {
  const whole = readingOf(at, [{ id: "n1", workloads: [{ name: "web", cpuUsedCores }] }]);
  const [node] = whole.nodes;
  const sample = { ...node!.sample!, memoryAvailableBytes: node!.sample!.memoryAvailableBytes! - withheldBytes };
  return { ...whole, nodes: [{ ...node!, sample }] };
};

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

describe("What the snapshot tells of the moves that ended last", () => {
  const failed: Partial<MigrationRecord> = { result: "failed", outcome: "aborted", errorCode: "RESTORE_FAILED", blackoutSeconds: null };
  const refused: Partial<MigrationRecord> = { ...failed, errorCode: "PREFLIGHT_BLOCKED" };
  const roomless: Partial<MigrationRecord> = { ...failed, errorCode: "RESERVATION_FAILED" };
  const cancelled: Partial<MigrationRecord> = { ...failed, result: "cancelled", errorCode: "CANCELLED" };
  const nodes = [
    { id: "n1", workloads: ["a", "b", "c", "d"].map((name) => ({ name, cpuUsedCores: 0.1, memoryUsedBytes: GIBIBYTE / 16 })) },
    { id: "n2", workloads: [] },
    { id: "n3", workloads: [] },
  ];
  /** Newest first, as they are read. */
  const snapshotAfter = (...closedMigrations: MigrationRecord[]) =>
    buildPicture(readingOf(1000, nodes, { flags: { n1: "disk" }, closedMigrations }), makeContext()).snapshot;

  it("is how each of them went, the oldest first", () => {
    expect(snapshotAfter(closedMove("z", 900, failed), closedMove("y", 800, { blackoutSeconds: 2 })).recentMigrations).to.deep.equal([
      { closedAt: 800, blackoutSeconds: 2, succeeded: true },
      { closedAt: 900, blackoutSeconds: null, succeeded: false },
    ]);
  });

  it("is nothing of those that were called off or never began: they say nothing of how well the fleet bears moves", () => {
    const untried = [cancelled, roomless, refused].map((changes, index) => closedMove("z", 900 - index, changes));
    expect(snapshotAfter(...untried).recentMigrations).to.deep.equal([]);
  });

  it("is not older than the last fifty", () => {
    const many = Array.from({ length: 60 }, (_, index) => closedMove("z", 990 - index));
    const { recentMigrations } = snapshotAfter(...many);
    expect([recentMigrations!.length, recentMigrations![0]!.closedAt, recentMigrations!.at(-1)!.closedAt]).to.deep.equal([50, 941, 990]);
  });

  it("counts a workload that fails again and again once, so that others still tell, and anew when it went well in between", () => {
    const again = Array.from({ length: 60 }, (_, index) => closedMove("z", 990 - index, failed));
    const before = closedMove("y", 900);
    const succeeded = (...closed: MigrationRecord[]) => snapshotAfter(...closed).recentMigrations!.map((each) => each.succeeded);
    expect(succeeded(...again, before)).to.deep.equal([true, false]);
    expect(succeeded(closedMove("z", 996, failed), closedMove("z", 995), ...again, before)).to.deep.equal([true, false, true, false]);
    expect(snapshotAfter(...again, before).recentMigrations!.at(-1)!.closedAt).to.equal(931);
  });

  it("lets fewer be begun at once after failures, and more again after moves that went well", () => {
    const policies = { ...DEFAULT_POLICY_CONFIG, concurrency: { perNode: 8, fleet: 4 } };
    const begun = (...closed: MigrationRecord[]) => decide(snapshotAfter(...closed), policies, 1000).moves.length;
    expect(begun()).to.equal(4);
    expect(begun(closedMove("z", 990, refused))).to.equal(4);
    expect(begun(closedMove("z", 990, failed))).to.equal(2);
    expect(begun(closedMove("z", 990, failed), closedMove("y", 980, failed))).to.equal(1);
    expect(begun(closedMove("x", 995), closedMove("z", 990, failed))).to.equal(3);
  });
});
