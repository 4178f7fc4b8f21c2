import { expect } from "chai";
import { decide } from "../../../policies/decide.js";
import { limitsNow } from "../../../policies/gates/concurrency.js";
import type { Snapshot } from "../../../policies/types.js";
import { config, constraints, draining, hot, NOW, node, snapshot, workload } from "./small-fleet.js";

const HOUR = 3600;
const reasonOf = (state: Snapshot, settings = config()) => decide(state, settings, NOW).skips[0]?.reason ?? "moved";

describe("windows in which nothing is moved", () => {
  const window = (target: string | null, active = true) => ({ windows: [{ node: target, active, reason: "closing the books" }] });
  it("hold back levelling over the fleet, the source or the target", () => {
    for (const target of [null, "n1", "n2"]) expect(reasonOf(hot(window(target)))).to.equal("move-window");
  });
  it("do nothing while they are closed, or for other nodes", () => {
    expect(reasonOf(hot(window(null, false)))).to.equal("moved");
    expect(reasonOf(hot(window("n9")))).to.equal("moved");
  });
  it("do not hold back a drain", () => {
    const state = { ...snapshot([draining("n1", 0.3), node("n2", 0.1)], [workload("a", "n1", 1)]), ...window(null) };
    expect(decide(state, config(), NOW).moves).to.have.length(1);
  });
});

describe("the budget of an hour", () => {
  const moved = (ago: number) => workload("b", "n9", 1, { lastMovedAt: NOW - ago });
  const state = (ago: number) => {
    const base = hot();
    return { ...base, workloads: [...base.workloads, moved(ago)] };
  };
  it("holds back levelling once it is spent, and is whole again an hour later", () => {
    expect(reasonOf(state(60), config({ movesPerHour: 1 }))).to.equal("budget-spent");
    expect(reasonOf(state(HOUR), config({ movesPerHour: 1 }))).to.equal("moved");
    expect(reasonOf(state(60), config({ movesPerHour: 2 }))).to.equal("moved");
  });
  it("counts what is under way and what this plan has taken", () => {
    const two = snapshot([node("n1", 0.95), node("n2", 0), node("n3", 0)], [workload("a", "n1", 1.4), workload("b", "n1", 1.3)]);
    expect(decide(two, config({ movesPerHour: 1 }), NOW).moves).to.have.length(1);
    const busy = { ...two, migrations: [{ id: "m", workload: "x", from: "n8", to: "n9" }] };
    expect(decide(busy, config({ movesPerHour: 1 }), NOW).moves).to.deep.equal([]);
  });
  it("does not hold back a drain", () => {
    const drain = snapshot([draining("n1", 0.3), node("n2", 0.1)], [workload("a", "n1", 1)]);
    expect(decide(drain, config({ movesPerHour: 0 }), NOW).moves).to.have.length(1);
  });
});

describe("fairness", () => {
  const often = (...ago: number[]) => hot({}, { lastMovedAt: NOW - ago[0]!, recentMoves: ago.map((seconds) => NOW - seconds) });
  it("doubles the rest of a workload with each move of the day", () => {
    expect(reasonOf(often(700))).to.equal("moved");
    expect(reasonOf(often(700, 5000))).to.equal("workload-cooling-down");
    expect(reasonOf(often(1201, 5000))).to.equal("moved");
    expect(decide(often(700, 5000), config(), NOW).skips[0]!.because).to.equal("It was moved 700 s ago and rests for 1200 s.");
  });
  it("ends when a workload had its share of moves for the day", () => {
    const settings = config({ cooldownSeconds: 0, fairness: { movesPerDay: 2, cooldownGrowth: 1 } });
    expect(reasonOf(often(5000, 9000), settings)).to.equal("workload-moved-too-often");
    expect(reasonOf(often(5000, 90_000), settings)).to.equal("moved");
  });
});

describe("a disruption budget", () => {
  const budget = { constraints: constraints({ disruptionBudget: { group: "db", moving: 1 } }) };
  it("lets so many of a group go at once, drains included", () => {
    const state = snapshot([draining("n1", 0.3), node("n2", 0.1)], [workload("a", "n1", 1, budget), workload("b", "n1", 1, budget)]);
    const plan = decide(state, config(), NOW);
    expect(plan.moves.map((move) => move.workload)).to.deep.equal(["a"]);
    expect(plan.skips.map((skip) => skip.reason)).to.deep.equal(["disruption-budget"]);
  });
  it("counts those under way", () => {
    const state = snapshot(
      [draining("n1", 0.3), node("n2", 0.1), node("n3", 0.1)],
      [workload("a", "n1", 1, budget), workload("b", "n2", 1, budget)],
      [{ id: "m", workload: "b", from: "n2", to: "n3" }],
    );
    expect(reasonOf(state)).to.equal("disruption-budget");
  });
});

describe("priority", () => {
  it("disturbs the less important first, though the other would level better", () => {
    const state = snapshot(
      [node("n1", 0.9), node("n2", 0.1)],
      [workload("key", "n1", 3, { constraints: constraints({ priority: 10 }) }), workload("usual", "n1", 2)],
    );
    expect(decide(state, config(), NOW).moves.map((move) => move.workload)).to.deep.equal(["usual"]);
  });
});

describe("limits that learn", () => {
  const closed = (blackoutSeconds: number, succeeded = true) => ({ closedAt: NOW, blackoutSeconds, succeeded });
  const limits = { perNode: 4, fleet: 8, blackoutGoalSeconds: 1 };
  it("stay as configured while all is well", () => {
    expect(limitsNow(limits, [closed(0.5), closed(0.9)])).to.deep.equal({ perNode: 4, fleet: 8 });
  });
  it("without a goal are lowered when blackouts grow to three times the usual, once it is known what is usual", () => {
    const unset = { perNode: 4, fleet: 8 };
    expect(limitsNow(unset, [closed(9)])).to.deep.equal({ perNode: 4, fleet: 8 });
    const usual = Array(6).fill(closed(0.4));
    expect(limitsNow(unset, [...usual, closed(1.1)])).to.deep.equal({ perNode: 4, fleet: 8 });
    expect(limitsNow(unset, [...usual, closed(1.3)])).to.deep.equal({ perNode: 4, fleet: 4 });
    expect(limitsNow(unset, [...usual, closed(1.3), closed(2)])).to.deep.equal({ perNode: 2, fleet: 2 });
    expect(limitsNow(unset, [closed(0.4, false)])).to.deep.equal({ perNode: 4, fleet: 4 });
  });
  it("halve with each long blackout or failure, down to one", () => {
    expect(limitsNow(limits, [closed(2)])).to.deep.equal({ perNode: 4, fleet: 4 });
    expect(limitsNow(limits, [closed(2), closed(0.1, false)])).to.deep.equal({ perNode: 2, fleet: 2 });
    expect(limitsNow(limits, Array(9).fill(closed(2)))).to.deep.equal({ perNode: 1, fleet: 1 });
  });
  it("grow back by one with each that is well", () => {
    expect(limitsNow(limits, [closed(2), closed(0.5), closed(0.5)])).to.deep.equal({ perNode: 4, fleet: 6 });
  });
  it("hold in the plan", () => {
    const drain = snapshot(
      [draining("n1", 0.3), node("n2", 0.1)],
      ["a", "b", "c"].map((id) => workload(id, "n1", 0.2)),
    );
    const settings = config({ concurrency: { perNode: 8, fleet: 2, blackoutGoalSeconds: 1 } });
    expect(decide(drain, settings, NOW).moves).to.have.length(2);
    expect(decide({ ...drain, recentMigrations: [closed(5)] }, settings, NOW).moves).to.have.length(1);
  });
});
