import { expect } from "chai";
import { DEFAULT_COST_CONFIG } from "../../../policies/cost/config.js";
import { estimateMoveCost, estimateMoveCosts } from "../../../policies/cost/move-cost.js";
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
  it("counts files on the way while it runs, and of a cold move the stop: as long as Docker has patience, or as its own moves took", () => {
    expect(costOf({ fileBytes: GIBIBYTE }).bytes).to.equal(2 * GIBIBYTE);
    expect(costOf({ fileBytes: GIBIBYTE }).blackoutSeconds).to.equal(8.5);
    expect(costOf({ fileBytes: GIBIBYTE, constraints: constraints({ mode: "cold" }) })).to.deep.equal({
      mode: "cold",
      bytes: GIBIBYTE,
      fileBytes: GIBIBYTE,
      seconds: 10.5 + 8,
      blackoutSeconds: 10.5,
      dirtyBytesPerSecond: null,
      learnedFromMoves: 0,
    });
    const past = { count: 2, fileBytes: GIBIBYTE, memoryBytes: 0, frozenFileBytes: LINK, stopSeconds: 2 };
    const cold = { constraints: constraints({ mode: "cold" }), past };
    expect(costOf(cold)).to.include({ bytes: GIBIBYTE, blackoutSeconds: 0.5 + 2 + 1, learnedFromMoves: 2 });
    expect(costOf({ ...cold, past: { ...past, blackoutSecondsIn: { cold: 7 } } }).blackoutSeconds).to.equal(7);
  });
  it("is no freeze to speak of with post-copy", () => {
    expect(costOf({ constraints: constraints({ mode: "postcopy" }) }).blackoutSeconds).to.equal(DEFAULT_COST_CONFIG.fixedBlackoutSeconds);
  });
  it("is that of the slower of the two links", () => {
    const slow = node("n2", 0.1, 0.3, { linkBytesPerSecond: LINK / 2 });
    expect(costOf({}, [linked("n1"), slow]).seconds).to.equal(16.5);
  });
  it("is to each of many targets what it is to that one", () => {
    const links = [LINK, LINK / 4, LINK / 4, 2 * LINK, undefined];
    const targets = links.map((linkBytesPerSecond, index) => node(`t${index}`, 0.1, 0.3, linkBytesPerSecond ? { linkBytesPerSecond } : {}));
    const moving = workload("a", "n1", 1, { memoryUsedBytes: GIBIBYTE, dirtyBytesPerSecond: LINK / 8 });
    const { nodeById, workloadById } = indexFleet(snapshot([linked("n1"), ...targets], [moving]));
    const [item, source] = [workloadById.get("a")!, nodeById.get("n1")!];
    const need = usageOf(item)!;
    const costTo = estimateMoveCosts(item, need, source, DEFAULT_COST_CONFIG);
    for (const target of targets.map(({ id }) => nodeById.get(id)!)) {
      expect(costTo(target), target.id).to.deep.equal(estimateMoveCost(item, need, source, target, DEFAULT_COST_CONFIG));
    }
    expect(costTo(nodeById.get("t1")!).seconds).to.be.greaterThan(costTo(nodeById.get("t0")!).seconds);
  });
});

describe("what each mode would take, in a plan", () => {
  const outlookOf = (more: Partial<WorkloadState>) => {
    const state = snapshot(
      [{ ...linked("n1"), maintenance: { since: NOW - 10, deadline: null, reason: "new disks" } }, linked("n2")],
      [workload("a", "n1", 1, { memoryUsedBytes: GIBIBYTE, ...more })],
    );
    const { cost } = decide(state, config(), NOW).moves[0]!;
    const told = new Map(cost!.modes!.map(({ mode, blackoutSeconds, whyNot }) => [mode, whyNot === null ? blackoutSeconds : whyNot]));
    expect(cost!.modes!.find(({ mode }) => mode === cost!.mode)).to.include({ blackoutSeconds: cost!.blackoutSeconds });
    return { mode: cost!.mode, told: Object.fromEntries(told) };
  };
  const unmeasured = "changes of its memory are not measured";

  it("is told of those that its label allows, and of one that cannot be had with the reason", () => {
    expect(outlookOf({})).to.deep.equal({ mode: "stopcopy", told: { precopy: unmeasured, stopcopy: 8.5 } });
    const told = { precopy: unmeasured, stopcopy: 8.5, postcopy: 0.5 };
    expect(outlookOf({ constraints: constraints({ mode: "auto+postcopy" }) })).to.deep.equal({ mode: "postcopy", told });
    expect(outlookOf({ constraints: constraints({ mode: "stopcopy" }) })).to.deep.equal({ mode: "stopcopy", told: { stopcopy: 8.5 } });
  });

  it("is told by the workload's own moves in that mode, for as much as it has grown, and by its size in the others", () => {
    const past = {
      count: 1,
      fileBytes: 0,
      memoryBytes: GIBIBYTE / 2,
      dirtyBytesPerSecond: 0,
      blackoutSecondsIn: { stopcopy: 3, precopy: 0.2 },
    };
    expect(outlookOf({ past })).to.deep.equal({ mode: "precopy", told: { precopy: 0.4, stopcopy: 6 } });
    expect(outlookOf({ past: { ...past, blackoutSecondsIn: { precopy: 0.2 } } }).told).to.deep.equal({ precopy: 0.4, stopcopy: 8.5 });
  });

  it("names the way out of one that may be stopped where CRIU refuses it", () => {
    const { mode, told } = outlookOf({ constraints: constraints({ mayGoCold: true }) });
    expect([mode, told["cold"]]).to.deep.equal(["stopcopy", "it is only taken where nothing but CRIU stands in the way"]);
    expect(outlookOf({ constraints: constraints({ mode: "cold", mayGoCold: true }) }).told).to.deep.equal({ cold: 10.5 });
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
  it("says of a workload that is worth moving nowhere what its move would cost, whatever its targets are short of", () => {
    const { nodes, workloads } = state(100 * GIBIBYTE);
    const [skip] = decide(snapshot([...nodes, node("n3", 0.7, 0.3)], [...workloads]), config(), NOW).skips;
    expect(skip).to.include({ reason: "cost-too-high", to: null });
    expect(skip!.because).to.match(
      / take away \d+\.\d % of the overload of n1, .* \(\d+\.\d s of blackout and \d+\.\d s of transfer at least\)/,
    );
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
