import { expect } from "chai";
import { DEFAULT_COST_CONFIG } from "../../../policies/cost/config.js";
import { estimateMoveCost } from "../../../policies/cost/move-cost.js";
import { decide } from "../../../policies/decide.js";
import { indexFleet } from "../../../policies/fleet.js";
import { usageOf } from "../../../policies/need.js";
import type { WorkloadState } from "../../../policies/types.js";
import { config, constraints, GIBIBYTE, NOW, node, snapshot, workload } from "./small-fleet.js";

const LINK = 2 ** 27;
const linked = (id: string) => node(id, 0.1, 0.3, { linkBytesPerSecond: LINK });

function costOf(override: Partial<WorkloadState>, nodes = [linked("n1"), linked("n2")]) {
  const { nodeById, workloadById } = indexFleet(snapshot(nodes, [workload("a", "n1", 1, { memoryUsedBytes: GIBIBYTE, ...override })]));
  const item = workloadById.get("a")!;
  return estimateMoveCost(item, usageOf(item)!, nodeById.get("n1")!, nodeById.get("n2")!, DEFAULT_COST_CONFIG);
}

describe("the cost of a move", () => {
  it("is all of the memory in the freeze while no dirty rate is known", () => {
    expect(costOf({})).to.deep.equal({
      mode: "stopcopy",
      bytes: GIBIBYTE,
      fileBytes: null,
      seconds: 8.5,
      blackoutSeconds: 8.5,
      dirtyBytesPerSecond: null,
      learnedFromMoves: 0,
    });
  });
  it("is a short freeze and some more bytes for a workload that writes slowly", () => {
    const { bytes, blackoutSeconds } = costOf({ dirtyBytesPerSecond: LINK / 8 });
    expect(blackoutSeconds).to.be.lessThan(0.7);
    expect(bytes / GIBIBYTE).to.be.within(1.1, 1.15);
  });
  it("gains nothing from pre-copy for one that writes faster than the link", () => {
    expect(costOf({ dirtyBytesPerSecond: 2 * LINK })).to.deep.equal({ ...costOf({}), dirtyBytesPerSecond: 2 * LINK });
  });
  it("counts files: on the way while it runs, in the blackout when it is cold", () => {
    expect(costOf({ fileBytes: GIBIBYTE }).bytes).to.equal(2 * GIBIBYTE);
    expect(costOf({ fileBytes: GIBIBYTE }).blackoutSeconds).to.equal(8.5);
    expect(costOf({ fileBytes: GIBIBYTE, constraints: constraints({ mode: "cold" }) })).to.deep.equal({
      mode: "cold",
      bytes: GIBIBYTE,
      fileBytes: GIBIBYTE,
      seconds: 8.5,
      blackoutSeconds: 8.5,
      dirtyBytesPerSecond: null,
      learnedFromMoves: 0,
    });
  });
  it("is no freeze to speak of with post-copy", () => {
    expect(costOf({ constraints: constraints({ mode: "postcopy" }) }).blackoutSeconds).to.equal(DEFAULT_COST_CONFIG.fixedBlackoutSeconds);
  });
  it("is that of the slower of the two links", () => {
    const slow = node("n2", 0.1, 0.3, { linkBytesPerSecond: LINK / 2 });
    expect(costOf({}, [linked("n1"), slow]).seconds).to.equal(16.5);
  });
});

describe("weighing benefit against cost", () => {
  const state = (memoryUsedBytes: number) =>
    snapshot(
      [node("n1", 0.9, 0.3, { memoryCapacityBytes: 2 ** 40 }), node("n2", 0.1, 0.3, { memoryCapacityBytes: 2 ** 40 })],
      [workload("a", "n1", 0.9, { memoryUsedBytes })],
    );
  it("refuses a move that costs more than it relieves, and shows the cost of one that does not", () => {
    expect(decide(state(100 * GIBIBYTE), config(), NOW).skips[0]!.reason).to.equal("cost-too-high");
    expect(decide(state(GIBIBYTE), config(), NOW).moves[0]!.cost!.bytes).to.equal(GIBIBYTE);
  });
  it("is left out with a horizon of nothing", () => {
    expect(decide(state(100 * GIBIBYTE), config({ cost: { horizonSeconds: 0 } }), NOW).moves).to.have.length(1);
  });
  it("prefers the workload that is cheaper to carry over one that levels a little better", () => {
    const both = snapshot(
      [node("n1", 0.9, 0.3, { memoryCapacityBytes: 2 ** 38 }), node("n2", 0.1, 0.3, { memoryCapacityBytes: 2 ** 38 })],
      [workload("large", "n1", 3.1, { memoryUsedBytes: 10 * GIBIBYTE }), workload("small", "n1", 2.9, { memoryUsedBytes: GIBIBYTE })],
    );
    expect(decide(both, config(), NOW).moves.map((move) => move.workload)).to.deep.equal(["small"]);
  });
});
