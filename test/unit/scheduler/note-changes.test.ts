import { expect } from "chai";
import type { Plan, Verdict } from "../../../policies/types.js";
import type { FleetPicture } from "../../../scheduler/fleet/build-snapshot.js";
import { describeChanges } from "../../../scheduler/note-changes.js";
import { node, snapshot } from "../policies/small-fleet.js";

const picture = { reading: { at: 100 }, snapshot: snapshot([node("n1", 0.5)]), placed: [] } as unknown as FleetPicture;
const planOf = (verdict: Verdict["verdict"]): Plan => ({
  at: 90,
  verdicts: [{ node: "n1", verdict, because: "as read" }],
  moves: [],
  skips: [],
  power: [],
  imbalanceBefore: null,
  imbalanceAfter: null,
});
const noted = (from: Verdict["verdict"], to: Verdict["verdict"]) =>
  describeChanges(picture, planOf(to), { plan: planOf(from), conflicts: new Set() }).entries.map(({ detail }) => detail);

describe("what the audit notes of a tick", () => {
  it("is each verdict that has changed, but not that of a node which comes near a bound and goes back", () => {
    expect(noted("level", "overloaded")).to.deep.equal(["level -> overloaded: as read"]);
    expect(noted("warming", "overloaded")).to.have.length(1);
    expect(noted("level", "unknown")).to.have.length(1);
    expect(noted("level", "warming")).to.deep.equal([]);
    expect(noted("warming", "level")).to.deep.equal([]);
    expect(noted("overloaded", "overloaded")).to.deep.equal([]);
  });

  it("is a conflict that is certain, once", () => {
    const twin = { id: "w", conflict: ["n1", "n2"] };
    const told = (isCertain: boolean, conflicts = new Set<string>()) =>
      describeChanges({ ...picture, placed: [{ ...twin, isCertain }] } as unknown as FleetPicture, planOf("level"), {
        plan: null,
        conflicts,
      });
    expect(told(false).entries).to.deep.equal([]);
    expect(told(true).entries.map(({ kind }) => kind)).to.deep.equal(["conflict"]);
    expect(told(true, new Set(told(true).conflicts)).entries).to.deep.equal([]);
  });
});
