import { expect } from "chai";
import { applyPlan } from "../../../policies/apply-plan.js";
import { decide } from "../../../policies/decide.js";
import type { WorkloadState } from "../../../policies/types.js";
import { config, constraints, draining, GIBIBYTE, NOW, node, snapshot, workload } from "./small-fleet.js";

const sized = (id: string, on: string, gibibytes: number, more: Partial<WorkloadState> = {}) =>
  workload(id, on, 0.2, { memoryUsedBytes: gibibytes * GIBIBYTE, ...more });
/** `big` must leave n1 and fits into no gap; n2 would have room for it if one of its guests went to n3. */
const puzzle = (guest: Partial<WorkloadState> = {}) =>
  snapshot(
    [draining("n1", 0.2, 0.5), node("n2", 0.2, 0.6), node("n3", 0.2, 0.7)],
    [sized("big", "n1", 6), sized("heavy", "n2", 4), sized("light", "n2", 2, guest), sized("tiny", "n2", 0.5)],
  );

describe("making room for a workload that must leave and fits nowhere", () => {
  it("moves the lightest guest whose going is enough, and says for whom", () => {
    const plan = decide(puzzle(), config(), NOW);
    expect(plan.moves.map(({ workload, from, to, reason }) => `${workload} ${from}>${to} ${reason}`)).to.deep.equal([
      "light n2>n3 maintenance",
    ]);
    expect(plan.moves[0]!.because).to.equal("n1 is under maintenance; this makes room on n2 for big, which fits nowhere else.");
    expect(plan.skips.map(({ workload, to, reason }) => `${workload} ${to} ${reason}`)).to.deep.equal(["big n2 room-being-made"]);
  });
  it("then brings the workload in", () => {
    const state = puzzle();
    const next = decide(applyPlan(state, decide(state, config(), NOW)), config(), NOW + 5);
    expect(next.moves.map(({ workload, to }) => `${workload}>${to}`)).to.deep.equal(["big>n2"]);
  });
  it("makes no more room while the readings still count what has left", () => {
    const left = { lastMovedAt: NOW - 60, lastMovedFrom: "n2", node: "n3" };
    const plan = decide(puzzle(left), config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips[0]!.reason).to.equal("room-being-made");
  });
  it("waits for one that is on its way out", () => {
    const state = { ...puzzle(), migrations: [{ id: "m", workload: "light", from: "n2", to: "n3" }] };
    const plan = decide(state, config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.find((skip) => skip.workload === "big")!.reason).to.equal("room-being-made");
  });
  it("does not disturb a guest that rests, is not to be moved, or has nowhere to go", () => {
    for (const guest of [
      { lastMovedAt: NOW - 300 },
      { constraints: constraints({ mode: "never" }) },
      { constraints: constraints({ pinnedTo: ["n2"] }) },
    ]) {
      expect(decide(puzzle(guest), config(), NOW).moves, JSON.stringify(guest)).to.deep.equal([]);
    }
  });
  it("is left out when it is switched off", () => {
    const plan = decide(puzzle(), config({ maintenance: { makeRoom: false } }), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips[0]!.reason).to.equal("target-memory-full");
  });
});
