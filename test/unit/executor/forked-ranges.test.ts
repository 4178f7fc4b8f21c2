import { expect } from "chai";
import fc from "fast-check";
import { findForked } from "../../../executor/pages/forked-ranges.js";
import { PAGE_BYTES, type PageRange } from "../../../executor/pages/pagemap-image.js";

const range = (pid: number, first: number, pages: number): PageRange => ({ pid, start: first * PAGE_BYTES, pages });
const meets = (a: PageRange, b: PageRange) => a.start < b.start + b.pages * PAGE_BYTES && b.start < a.start + a.pages * PAGE_BYTES;

describe("Memory that processes have had since they were forked", () => {
  it("is what more than one of them has at the same addresses, of each of them", () => {
    const [mine, heap, other] = [range(1, 10, 4), range(1, 20, 4), range(1, 40, 2)];
    const [part, child] = [range(2, 12, 1), range(2, 30, 4)];
    const third = range(3, 22, 10);
    expect([...findForked([[mine, heap, other], [part, child], [third]])]).to.have.members([mine, heap, part, child, third]);
  });

  it("is nothing of a process alone, however its ranges lie", () => {
    expect(findForked([[range(1, 10, 4), range(1, 12, 4)]]).size).to.equal(0);
    expect(findForked([[range(1, 10, 4), range(1, 12, 4)], [range(2, 16, 4)]]).size).to.equal(0);
  });

  it("is found whatever the ranges are", () => {
    const ranges = fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 12 })), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 4 }), (ofProcesses) => {
        const all = ofProcesses.map((own, pid) => own.map(([first, pages]) => range(pid, first, pages)));
        const forked = findForked(all);
        for (const one of all.flat()) {
          const isMet = all.flat().some((other) => other.pid !== one.pid && meets(one, other));
          expect(forked.has(one), `${one.pid}: ${one.start / PAGE_BYTES} + ${one.pages}`).to.equal(isMet);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
