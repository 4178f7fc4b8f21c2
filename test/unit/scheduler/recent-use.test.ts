import { expect } from "chai";
import type { PlacedWorkload } from "../../../scheduler/fleet/place-workloads.js";
import { type RecentUse, rememberRecentUse } from "../../../scheduler/fleet/recent-use.js";
import { smoothRatio } from "../../../scheduler/fleet/smooth.js";

const SMOOTHING_SECONDS = 20;
const placed = (cpuUsedCores: number | null, node = "n1") =>
  [{ id: "web", node, reading: { cpuUsedCores }, conflict: [] }] as unknown as PlacedWorkload[];

/** What is known after these readings, each of its node's sample of that time. */
function usedAfter(...readings: readonly (readonly [at: number, cores: number | null, node?: string])[]) {
  return usedAfterMove(-Infinity, ...readings);
}

/** The same of one that was moved at that time, read every five seconds. */
function usedAfterMove(movedAt: number, ...readings: readonly (readonly [at: number, cores: number | null, node?: string])[]) {
  const recent = rememberRecentUse();
  for (const [at, cores, node = "n1"] of readings) read(recent, placed(cores, node), node, at, movedAt <= at ? movedAt : undefined);
  return recent.of("web");
}

function read(recent: RecentUse, workloads: PlacedWorkload[], node: string, at: number, movedAt = -Infinity) {
  recent.follow(workloads, new Map([[node, { at, since: at - 5 }]]), { smoothingSeconds: SMOOTHING_SECONDS, lastMoved: { web: movedAt } });
}

describe("What a workload used of late", () => {
  it("is not known from one reading", () => {
    expect(usedAfter()).to.deep.equal({});
    expect(usedAfter([100, 3])).to.deep.equal({});
    expect(usedAfter([100, 3], [100, 3]), "the same sample, read twice").to.deep.equal({});
  });

  it("is smoothed as the readings of a node are", () => {
    const readings = [
      [100, 0.1],
      [105, 3],
      [112, 0.2],
      [115, 2.5],
    ] as const;
    const history = readings.map(([at, cpuRatio]) => ({ at, cpuRatio, memoryRatio: null }));
    expect(usedAfter(...readings).cpuSmoothedCores).to.be.closeTo(smoothRatio(history, "cpuRatio", SMOOTHING_SECONDS)!, 1e-12);
  });

  it("has a peak that counts for at least a minute, and no more after two", () => {
    expect(usedAfter([100, 3], [105, 0.1]).cpuPeakCores).to.equal(3);
    expect(usedAfter([100, 0.1], [159, 3], [165, 0.1], [219, 0.1]).cpuPeakCores).to.equal(3);
    expect(usedAfter([100, 3], [150, 0.1], [200, 0.1], [265, 0.1]).cpuPeakCores).to.equal(0.1);
  });

  it("is not changed by a reading that failed, begins anew after a long silence, and goes with it to another node", () => {
    expect(usedAfter([100, 3], [105, 1], [110, null])).to.deep.equal(usedAfter([100, 3], [105, 1]));
    expect(usedAfter([100, 3], [105, 1], [300, 0.5])).to.deep.equal({});
    expect(usedAfter([100, 3], [105, 1, "n2"]).cpuPeakCores).to.equal(3);
  });

  it("is what it was before a move while the workload catches up, and then what it really takes there", () => {
    const before = [
      [100, 0.5],
      [105, 0.5],
    ] as const;
    const catchingUp = [
      [112, 4, "n2"],
      [117, 3, "n2"],
    ] as const;
    expect(usedAfterMove(107, ...before, ...catchingUp)).to.deep.equal({ cpuSmoothedCores: 0.5, cpuPeakCores: 0.5 });
    expect(usedAfterMove(107, ...before, ...catchingUp, [122, 2, "n2"]).cpuPeakCores, "a rate from after it").to.equal(2);
    expect(usedAfterMove(107, ...catchingUp), "nobody knows what it used before").to.deep.equal({});
    expect(usedAfter(...before, ...catchingUp).cpuPeakCores, "it was not moved").to.equal(4);
  });

  it("is forgotten with the workload", () => {
    const recent = rememberRecentUse();
    for (const at of [100, 105]) read(recent, placed(3), "n1", at);
    read(recent, [], "n1", 110);
    expect(recent.of("web")).to.deep.equal({});
  });
});
