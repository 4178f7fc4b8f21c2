import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { findForked, restoreForkedFirst } from "../../../executor/pages/forked-ranges.js";
import { PAGE_BYTES, type PageRange, readPagemaps } from "../../../executor/pages/pagemap-image.js";
import { LEFT, PRESENT, pagemap } from "../../support/pagemap-bytes.js";

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

describe("Images that have forked memory", () => {
  const [SHARED, OWN] = [0x10000000, 0x20000000];
  const LAZY = PRESENT | LEFT;
  let images: string;

  beforeEach(async () => {
    images = await mkdtemp(join(tmpdir(), "forked-"));
    await writeFile(
      join(images, "pagemap-1.img"),
      pagemap(1, [
        [SHARED, 4, LAZY],
        [OWN, 3, LAZY],
      ]),
    );
  });

  afterEach(async () => {
    await rm(images, { recursive: true });
  });

  const fork = () => writeFile(join(images, "pagemap-2.img"), pagemap(2, [[SHARED, 4, LAZY]]));
  const lazy = async () => (await readPagemaps(images)).map(({ entries }) => entries.map(({ isLazy }) => isLazy));

  it("leave to CRIU's daemon what only one process has", async () => {
    await fork();
    expect(await restoreForkedFirst(images, async () => true)).to.equal(3 * PAGE_BYTES);
    expect(await lazy()).to.deep.equal([[false, true], [false]]);
  });

  it("leave it nothing where the kernel gives huge pages to everyone: one of them would cover pages that are still to come", async () => {
    await fork();
    expect(await restoreForkedFirst(images, async () => false)).to.equal(0);
  });

  it("are left as they are where there is one process, or nothing forked", async () => {
    expect(await restoreForkedFirst(images, async () => false)).to.equal(null);
    await writeFile(join(images, "pagemap-2.img"), pagemap(2, [[OWN + 8 * PAGE_BYTES, 4, LAZY]]));
    expect(await restoreForkedFirst(images, async () => false)).to.equal(11 * PAGE_BYTES);
    expect(await lazy()).to.deep.equal([[true, true], [true]]);
  });
});
