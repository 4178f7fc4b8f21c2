import { expect } from "chai";
import { applyPlan } from "../../../policies/apply-plan.js";
import { decide } from "../../../policies/decide.js";
import type { Snapshot } from "../../../policies/types.js";
import { config, constraints, draining, flatHistory, GIBIBYTE, NOW, node, snapshot, workload } from "./small-fleet.js";

/** n1 is at 90 % with three workloads, n2 at 20 %, n3 at 10 %. */
function hotFleet(): Snapshot {
  return snapshot(
    [node("n1", 0.9), node("n2", 0.2), node("n3", 0.1)],
    [workload("big", "n1", 3), workload("middle", "n1", 2), workload("small", "n1", 1.2), workload("other", "n2", 1)],
  );
}
const skipsOf = (state: Snapshot, settings = config()) =>
  decide(state, settings, NOW).skips.map(({ workload, to, reason }) => ({ workload, to, reason }));

describe("relieving an overloaded node", () => {
  it("moves what levels the fleet best, and says why with the numbers", () => {
    const plan = decide(hotFleet(), config(), NOW);
    expect(plan.moves.map(({ workload, from, to, reason }) => ({ workload, from, to, reason }))).to.deep.equal([
      { workload: "big", from: "n1", to: "n3", reason: "overload" },
    ]);
    expect(plan.moves[0]!.because).to.equal("CPU: n1 90.0 % to 52.5 %, n3 10.0 % to 47.5 %; it uses 3.00 cores and 512 MiB.");
    expect(plan.imbalanceAfter!).to.be.lessThan(plan.imbalanceBefore! / 2);
  });
  it("stops at the fix bound and says that the rest need not move", () => {
    expect(skipsOf(hotFleet())).to.deep.equal([
      { workload: "middle", to: null, reason: "not-needed" },
      { workload: "small", to: null, reason: "not-needed" },
    ]);
  });
  it("needs no second plan once the first is carried out", () => {
    const state = hotFleet();
    expect(decide(applyPlan(state, decide(state, config(), NOW)), config(), NOW).moves).to.deep.equal([]);
  });
  it("believes readings for as long as the fleet's samples are believed, and no longer", () => {
    const history = [0, 30, 60].map((after) => ({ at: NOW - 60 + after, cpuRatio: 0.9, memoryRatio: 0.3 }));
    const state = { ...hotFleet(), nodes: [node("n1", 0.9, 0.3, { history }), node("n2", 0.2), node("n3", 0.1)] };
    expect(decide(state, config(), NOW).moves).to.deep.equal([]);
    expect(decide({ ...state, sampleTtlSeconds: 30 }, config(), NOW).moves).to.have.length(1);
  });
  it("relieves memory as well as CPU", () => {
    const state = snapshot(
      [node("n1", 0.2, 0.95), node("n2", 0.2, 0.2)],
      [workload("a", "n1", 0.1, { memoryUsedBytes: 4 * GIBIBYTE }), workload("b", "n1", 0.1, { memoryUsedBytes: GIBIBYTE })],
    );
    expect(decide(state, config(), NOW).moves.map((move) => move.workload)).to.deep.equal(["a"]);
  });
  it("carries the least memory among moves that level equally", () => {
    const state = snapshot(
      [node("n1", 0.9), node("n2", 0.1)],
      [workload("a", "n1", 3, { memoryUsedBytes: 2 * GIBIBYTE }), workload("b", "n1", 3, { memoryUsedBytes: GIBIBYTE })],
    );
    expect(decide(state, config(), NOW).moves[0]!.workload).to.equal("b");
  });
  it("never lifts the destination above the source", () => {
    const state = snapshot([node("n1", 0.9), node("n2", 0.1, 0.3, { cpuCapacityCores: 2 })], [workload("a", "n1", 1.8)]);
    expect(decide(state, config({ headroom: { cpuRatio: 2 }, overload: { cpuDetectRatio: 0.85 } }), NOW).moves).to.deep.equal([]);
  });
  it("asks for a minimum gain", () => {
    const state = snapshot([node("n1", 0.9), node("n2", 0.5)], [workload("tiny", "n1", 0.01)]);
    expect(skipsOf(state)).to.deep.equal([{ workload: "tiny", to: null, reason: "gain-too-small" }]);
  });
  it("relieves a large node of many small workloads, though none of them gains much", () => {
    const many = Array.from({ length: 50 }, (_, index) => workload(`w${index}`, "n1", 0.5, { memoryUsedBytes: GIBIBYTE / 16 }));
    const large = (id: string, cpuRatio: number) => node(id, cpuRatio, 0.3, { cpuCapacityCores: 64 });
    const plan = decide(snapshot([large("n1", 0.9), large("n2", 0.2), large("n3", 0.2)], many), config(), NOW);
    expect(plan.moves).to.have.length(32);
    expect(plan.skips.every(({ reason }) => reason === "not-needed")).to.equal(true);
  });
  it("counts what is leaving already, and moves no more than needed", () => {
    const state = { ...hotFleet(), migrations: [{ id: "m1", workload: "big", from: "n1", to: "n3" }] };
    const plan = decide(state, config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.find((skip) => skip.workload === "big")!.reason).to.equal("workload-migrating");
    expect(plan.skips.find((skip) => skip.workload === "middle")!.reason).to.equal("not-needed");
  });
});

describe("a candidate that is not moved has one reason", () => {
  const only = (override: Parameters<typeof workload>[3], targets = [node("n2", 0.1)], settings = config()) =>
    skipsOf(
      snapshot([node("n1", 0.9), ...targets], [workload("a", "n1", override && "cpuUsedCores" in override ? null : 3, override)]),
      settings,
    );

  it("workload-never", () => {
    expect(only({ constraints: constraints({ mode: "never" }) })).to.deep.equal([{ workload: "a", to: null, reason: "workload-never" }]);
  });
  it("workload-pinned", () => {
    expect(only({ constraints: constraints({ pinnedTo: ["n1"] }) })).to.deep.equal([
      { workload: "a", to: "n2", reason: "workload-pinned" },
    ]);
  });
  it("workload-unknown-usage, even with a limit", () => {
    expect(only({ cpuUsedCores: null, cpuLimitCores: 1 })).to.deep.equal([{ workload: "a", to: null, reason: "workload-unknown-usage" }]);
  });
  it("workload-cooling-down", () => {
    const skips = only({ lastMovedAt: NOW - 599 }, [node("n2", 0.1)]);
    expect(skips).to.deep.equal([{ workload: "a", to: null, reason: "workload-cooling-down" }]);
    expect(
      decide(snapshot([node("n1", 0.9), node("n2", 0.1)], [workload("a", "n1", 3, { lastMovedAt: NOW - 600 })]), config(), NOW).moves,
    ).to.have.length(1);
  });
  it("target-unknown", () => {
    expect(only({}, [node("n2", 0.1, 0.3, { state: "unknown" })])).to.deep.equal([{ workload: "a", to: "n2", reason: "target-unknown" }]);
  });
  it("target-maintenance", () => {
    expect(only({}, [draining("n2", 0.1)])).to.deep.equal([{ workload: "a", to: "n2", reason: "target-maintenance" }]);
  });
  it("target-cpu-full, by the higher of the latest and the smoothed reading", () => {
    expect(only({}, [node("n2", 0.5)])).to.deep.equal([{ workload: "a", to: "n2", reason: "target-cpu-full" }]);
    expect(only({}, [node("n2", 0.1, 0.3, { history: flatHistory(0.5) })])).to.deep.equal([
      { workload: "a", to: "n2", reason: "target-cpu-full" },
    ]);
  });
  it("target-memory-full", () => {
    expect(only({}, [node("n2", 0.1, 0.89)])).to.deep.equal([{ workload: "a", to: "n2", reason: "target-memory-full" }]);
  });
  it("target-settling", () => {
    const state = snapshot(
      [node("n1", 0.9), node("n2", 0.1)],
      [workload("a", "n1", 3), workload("b", "n2", 0.1, { lastMovedAt: NOW - 5 })],
    );
    expect(skipsOf(state)).to.deep.equal([{ workload: "a", to: "n2", reason: "target-settling" }]);
  });
  it("anti-affinity", () => {
    const group = constraints({ antiAffinityGroup: "db" });
    const state = snapshot(
      [node("n1", 0.9), node("n2", 0.1)],
      [workload("a", "n1", 3, { constraints: group }), workload("b", "n2", 0.1, { constraints: group })],
    );
    expect(skipsOf(state)).to.deep.equal([{ workload: "a", to: "n2", reason: "anti-affinity" }]);
  });
  it("no-target, with the reason of each destination in words", () => {
    const state = snapshot([node("n1", 0.9), node("n2", 0.6), draining("n3", 0.1)], [workload("a", "n1", 3)]);
    const [skip] = decide(state, config(), NOW).skips;
    expect(skip).to.include({ reason: "no-target", to: null });
    expect(skip!.because).to.equal("None of 2 other nodes will do: target-cpu-full (n2), target-maintenance (n3).");
  });
  it("no-target, when it is the only node", () => {
    expect(only({}, [])).to.deep.equal([{ workload: "a", to: null, reason: "no-target" }]);
  });
});

describe("limits on what moves at once", () => {
  const hotPair = () =>
    snapshot(
      [node("n1", 0.95), node("n2", 0.94), node("n3", 0.1), node("n4", 0.1)],
      [workload("a", "n1", 2), workload("b", "n1", 1.5), workload("c", "n2", 2), workload("d", "n2", 1.5)],
    );
  it("hold per node, at both ends", () => {
    const plan = decide(hotPair(), config({ concurrency: { perNode: 1 } }), NOW);
    expect(plan.moves.map(({ workload, to }) => `${workload}>${to}`)).to.deep.equal(["a>n3", "c>n4"]);
    expect(plan.skips.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal(["b source-busy", "d source-busy"]);
  });
  it("hold for the fleet", () => {
    const plan = decide(hotPair(), config({ concurrency: { fleet: 1 } }), NOW);
    expect(plan.moves).to.have.length(1);
    expect(new Set(plan.skips.map((skip) => skip.reason))).to.deep.equal(new Set(["fleet-busy"]));
  });
  it("count open migrations, by nodes that are not there too", () => {
    const state = { ...hotPair(), migrations: [{ id: "m1", workload: "x", from: "n8", to: "n9" }] };
    expect(decide(state, config({ concurrency: { fleet: 1 } }), NOW).moves).to.deep.equal([]);
  });
  it("name a busy destination", () => {
    const state = snapshot(
      [node("n1", 0.9), node("n2", 0.1)],
      [workload("a", "n1", 2), workload("m", "n3", 0.1)],
      [{ id: "m1", workload: "m", from: "n3", to: "n2" }],
    );
    expect(skipsOf(state, config({ concurrency: { perNode: 1 } }))).to.deep.equal([{ workload: "a", to: "n2", reason: "target-busy" }]);
  });
});
