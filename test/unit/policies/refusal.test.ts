import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import { decide } from "../../../policies/decide.js";
import type { MoveRefusal, Snapshot } from "../../../policies/types.js";
import { config, draining, NOW, node, snapshot, workload } from "./small-fleet.js";

const refusal = (changes: Partial<MoveRefusal> = {}): MoveRefusal => ({
  at: NOW - 100,
  to: "n3",
  code: "address-taken",
  because: "10.0.0.1 belongs to web here",
  passes: false,
  ...changes,
});
/** n1 is hot, n3 is the emptiest of the two others. */
const hot = (refusals: readonly MoveRefusal[], others: readonly MoveRefusal[] = refusals): Snapshot =>
  snapshot(
    [node("n1", 0.9), node("n2", 0.2), node("n3", 0.1)],
    [workload("big", "n1", 3, { refusals }), workload("small", "n1", 2.5, { refusals: others })],
  );
const draining1 = (refusals: readonly MoveRefusal[]): Snapshot =>
  snapshot([draining("n1", 0.3), node("n2", 0.2)], [workload("big", "n1", 1, { refusals })]);
const movesOf = (state: Snapshot) => decide(state, config(), NOW).moves.map(({ workload, to }) => `${workload} ${to}`);

describe("A move that was refused", () => {
  it("goes to another node, though the one that refused it would be better", () => {
    expect(movesOf(hot([]))).to.deep.equal(["big n3"]);
    expect(movesOf(hot([refusal()], [])))
      .to.include("small n3")
      .and.not.to.include("big n3");
    expect(movesOf(hot([refusal()]))).to.deep.equal(["big n2"]);
  });

  it("is not asked for anywhere when the cause is the workload's own; another is moved instead", () => {
    expect(movesOf(hot([refusal({ to: null, code: "tty" })], []))).to.deep.equal(["small n3"]);
    expect(movesOf(hot([refusal({ to: null, code: "tty" })]))).to.deep.equal([]);
  });

  it("is explained by what was in the way", () => {
    const plan = decide(hot([refusal({ to: null, code: "tty", because: "It has a terminal" })]), config(), NOW);
    expect(plan.skips.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal([
      "big workload-refused",
      "small workload-refused",
    ]);
    expect(plan.skips[0]!.because).to.include("came to nothing (tty: It has a terminal)");
    const drain = decide(draining1([refusal({ to: "n2", at: NOW - 10 })]), config(), NOW);
    expect(drain.skips).to.have.length(1);
    expect(drain.skips[0]).to.include({ reason: "target-refused", to: "n2" });
    expect(drain.skips[0]!.because).to.include("address-taken: 10.0.0.1 belongs to web here");
  });

  it("is asked for again when it has rested", () => {
    expect(movesOf(hot([refusal({ at: NOW - 601 })]))).to.deep.equal(["big n3"]);
    expect(movesOf(hot([refusal({ at: NOW - 601, to: null })]))).to.deep.equal(["big n3"]);
  });

  it("is asked for again sooner when the cause passes by itself, and when the node must be emptied", () => {
    expect(movesOf(hot([refusal({ at: NOW - 61, passes: true })]))).to.deep.equal(["big n3"]);
    expect(movesOf(draining1([refusal({ at: NOW - 30, to: null })]))).to.deep.equal([]);
    expect(movesOf(draining1([refusal({ at: NOW - 61, to: null })]))).to.deep.equal(["big n2"]);
  });

  it("rests twice as long each time more, but no longer than any other, when the node must be emptied and when the cause passes", () => {
    for (const [times, seconds] of [
      [1, 60],
      [2, 120],
      [4, 480],
      [5, 600],
      [900, 600],
    ] as const) {
      for (const [early, moves] of [
        [1, 0],
        [-1, 1],
      ] as const) {
        const at = NOW - seconds + early;
        expect(movesOf(draining1([refusal({ at, to: null, times })])), `drain ${times}`).to.have.length(moves);
        expect(movesOf(hot([refusal({ at, to: null, passes: true, times })])), `passing ${times}`).to.have.length(moves);
      }
    }
    expect(movesOf(hot([refusal({ at: NOW - 601, times: 5 })]))).to.deep.equal(["big n3"]);
  });

  it("does not rest when the setting says so", () => {
    const plan = decide(hot([refusal({ to: null })]), { ...config(), refusalRestSeconds: 0 }, NOW);
    expect(plan.moves).to.have.length(1);
  });

  it("may be asked for by an operator at once", () => {
    expect(canMove(hot([refusal(), refusal({ to: null })]), config(), NOW, "big", "n3")).to.equal(null);
  });
});
