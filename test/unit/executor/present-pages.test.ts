import { expect } from "chai";
import { PAGE_BYTES } from "../../../executor/pages/pagemap-image.js";
import { divide, piecesIn, readPresent, readPresentAgain } from "../../../executor/pages/present-pages.js";

const BASE = 0x7f0000000000;
const page = (number: number) => BASE + number * PAGE_BYTES;
const area = (from: number, to: number) => ({ start: page(from), end: page(to) });

/** Upper halves of entries: nothing there, in memory, in swap, guarded. */
const [NONE, HERE, SWAPPED, GUARDED] = [0, 0x80000000, 0x40000000, 0x44000000];
const entries = (...pages: readonly (readonly [low: number, high: number])[]) => Uint32Array.from(pages.flat());

describe("What a process holds of its memory, by the kernel's page tables", () => {
  it("is what is in memory and what is in swap, joined where it adjoins", () => {
    const read = entries([0, NONE], [11, HERE], [12, HERE + 3], [13, SWAPPED], [0, NONE], [15, HERE]);
    expect(piecesIn(read, BASE, () => false)).to.deep.equal([area(1, 4), area(5, 6)]);
    expect(piecesIn(entries(), BASE)).to.deep.equal([]);
    expect(piecesIn(entries([1, HERE], [0, GUARDED], [2, HERE]), BASE)).to.deep.equal([area(0, 1), area(2, 3)]);
    expect(piecesIn(entries([0, NONE]), BASE)).to.deep.equal([]);
  });

  it("is told from what was held before and what lies between", () => {
    expect(divide([area(0, 10), area(20, 30)], [area(2, 4), area(8, 22), area(29, 40)])).to.deep.equal({
      held: [area(2, 4), area(8, 10), area(20, 22), area(29, 30)],
      gaps: [area(0, 2), area(4, 8), area(22, 29)],
    });
    expect(divide([area(0, 10)], [])).to.deep.equal({ held: [], gaps: [area(0, 10)] });
    expect(divide([], [area(0, 10)])).to.deep.equal({ held: [], gaps: [] });
    // One piece may lie in several areas.
    expect(divide([area(0, 2), area(2, 4)], [area(1, 3)])).to.deep.equal({
      held: [area(1, 2), area(2, 3)],
      gaps: [area(0, 1), area(3, 4)],
    });
  });

  it("leaves out the page of zeros once two of it were met, but not pages that the kernel has merged", () => {
    const pairs = (merged: number, zeros: number) =>
      entries([merged, HERE], [merged, HERE], [merged, HERE], [zeros, HERE], [zeros, HERE], [8, HERE], [zeros, HERE + (3 << 23)]);
    const asked: number[] = [];
    const isZeros = ({ low }: { low: number }) => asked.push(low) > 0 && low === 9;
    expect(piecesIn(pairs(5, 6), BASE, isZeros)).to.deep.equal([area(0, 7)]);
    expect(piecesIn(pairs(7, 9), BASE, isZeros)).to.deep.equal([area(0, 3), area(5, 6)]);
    expect(piecesIn(pairs(7, 9), BASE, isZeros)).to.deep.equal([area(0, 3), area(5, 6)]);
    // Once for each.
    expect(asked).to.deep.equal([5, 6, 7, 9]);
  });

  it("is read of a real process, at first and again, and fails for one that is gone", async () => {
    const maps = await import("node:fs/promises").then(({ readFile }) => readFile("/proc/self/maps", "utf8"));
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) .*\[stack\]$/m.exec(maps)!.map((word) => Number.parseInt(word, 16));
    const stack = { start: start!, end: end! };
    const first = await readPresent(process.pid, [stack]);
    expect(first.at(-1)?.end).to.equal(stack.end);
    // Most of what is kept for a stack has never been touched.
    expect(first[0]!.start).to.be.within(stack.start, stack.end - PAGE_BYTES);
    expect(first.reduce((sum, piece) => sum + piece.end - piece.start, 0)).to.be.lessThan(stack.end - stack.start + 1);
    // The half of it that was known is not asked for, and not lost.
    const middle = stack.end - 4 * PAGE_BYTES;
    const again = await readPresentAgain(process.pid, [stack], [{ start: middle, end: stack.end }]);
    expect(again.at(-1)?.end).to.equal(stack.end);
    expect(again.at(-1)!.start).to.be.at.most(middle);
    expect(await readPresentAgain(process.pid, [stack], [stack])).to.deep.equal([stack]);
    const error = await readPresent(2 ** 22 + 1, [stack]).catch(({ code }) => code);
    expect(error).to.equal("ENOENT");
  });
});
