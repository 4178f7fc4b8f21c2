import { expect } from "chai";
import fc from "fast-check";
import { chooseTogether } from "../../../policies/consolidate/choose-together.js";

/** Chooses among the numbers below `count`; `isBorne` says which sets are. */
function choose(count: number, isBorne: (chosen: readonly number[]) => boolean, most: number, checks: number) {
  const all = Array.from({ length: count }, (_, i) => i);
  const taken = new Set<number>();
  let asked = 0;
  const chosen = chooseTogether<number>(
    {
      offer: (from, size) => {
        const part = all.slice(from, from + size);
        for (const each of part) taken.add(each);
        return { part, next: from + part.length };
      },
      isBorne: (each) => {
        asked++;
        return isBorne(each);
      },
      withdraw: (part) => {
        for (const each of part) taken.delete(each);
      },
    },
    most,
    checks,
  );
  return { chosen, asked, taken: [...taken] };
}

describe("choosing what is borne together", () => {
  it("asks less and less often while all goes well", () => {
    const { chosen, asked } = choose(100, () => true, 100, 10);
    expect(chosen).to.have.length(100);
    expect(asked).to.equal(7);
  });

  it("stops at the most that may be chosen, and at the last check", () => {
    expect(choose(100, () => true, 5, 10).chosen).to.deep.equal([0, 1, 2, 3, 4]);
    expect(choose(100, () => true, 100, 2).chosen).to.deep.equal([0, 1, 2]);
    expect(choose(0, () => true, 5, 10).chosen).to.deep.equal([]);
  });

  it("leaves out the one that is not borne, and goes on after it", () => {
    expect(choose(6, (chosen) => !chosen.includes(0), 6, 10).chosen).to.deep.equal([1, 2, 3, 4, 5]);
    expect(choose(6, (chosen) => !chosen.includes(2), 6, 20).chosen).to.deep.equal([0, 1, 3, 4, 5]);
  });

  it("never chooses what was not borne as a whole, and gives back all else", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 12 }), fc.nat({ max: 60 }), fc.nat({ max: 12 }), (weights, room, most) => {
        const isBorne = (chosen: readonly number[]) => chosen.reduce((sum, each) => sum + weights[each]!, 0) <= room;
        const { chosen, taken, asked } = choose(weights.length, isBorne, most, 10);
        expect(isBorne(chosen)).to.equal(true);
        expect(taken).to.have.members([...chosen]);
        expect(chosen.length).to.be.at.most(most);
        expect(asked).to.be.at.most(10);
      }),
    );
  });
});
