import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { MAPS_ENCODING, parseSmaps } from "../../../executor/engine/docker/memory-maps.js";
import { PAGE_BYTES } from "../../../executor/pages/pagemap-image.js";
import { divide, piecesIn, readPresent, readPresentAgain } from "../../../executor/pages/present-pages.js";
import { waitFor } from "../../support/wait-for.js";

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

  it("is read of a real process, as much as the kernel counts, at first and again, and fails for one that is gone", async () => {
    const child = spawn("sleep", ["600"]);
    try {
      const [stack, counted] = await waitFor("a process that has begun", async () => {
        const mappings = parseSmaps(await readFile(`/proc/${child.pid}/smaps`, MAPS_ENCODING));
        const found = [...mappings.values()].find(({ name }) => name === "[stack]");
        const isSleep = [...mappings.keys()].some((line) => line.includes("sleep") || line.includes("coreutils"));
        // Still once more: it may have been amid its beginning.
        await new Promise((resolve) => setTimeout(resolve, 100));
        const again = parseSmaps(await readFile(`/proc/${child.pid}/smaps`, MAPS_ENCODING));
        const then = [...again.values()].find(({ name }) => name === "[stack]");
        return isSleep && found !== undefined && then?.heldBytes === found.heldBytes && ([found, found.heldBytes] as const);
      });
      const first = await readPresent(child.pid!, [stack]);
      expect(first.reduce((sum, { start, end }) => sum + end - start, 0)).to.equal(counted);
      expect(counted).to.be.within(PAGE_BYTES, stack.end - stack.start - PAGE_BYTES);
      expect(await readPresentAgain(child.pid!, [stack], [])).to.deep.equal(first);
      // What was held before is not asked for: here all is said to have been.
      const all = [{ start: stack.start, end: stack.end }];
      expect(await readPresentAgain(child.pid!, [stack], all)).to.deep.equal(all);
      expect(await readPresent(2 ** 22 + 1, [stack]).catch(({ code }) => code)).to.equal("ENOENT");
    } finally {
      child.kill("SIGKILL");
    }
  });
});
