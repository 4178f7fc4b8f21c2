import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { completeImages } from "../../../executor/pages/complete-images.js";
import { readLazyAreas } from "../../../executor/pages/lazy-areas.js";
import { PAGE_BYTES, readPagemaps } from "../../../executor/pages/pagemap-image.js";
import { GUARD, LEFT, mappings, PRESENT, PRIVATE, pagemap } from "../../support/pagemap-bytes.js";

/** Flags of memory that the kernel may drop, and of such that needs no reserve besides. */
const DROPPABLE = 0x28;
const NORESERVE = 0x4000;
const GREAT = 0x7f0000000000;
const page = (number: number) => GREAT + number * PAGE_BYTES;

describe("Images of memory that CRIU was not shown", () => {
  let images: string;

  beforeEach(async () => {
    images = await mkdtemp(join(tmpdir(), "complete-"));
    await writeFile(
      join(images, "mm-1.img"),
      mappings([
        [0x400000, 0x500000, PRIVATE],
        [page(0), page(40000), DROPPABLE],
        [page(1), page(10), 0, GUARD],
        [page(40000), page(40100), DROPPABLE + NORESERVE],
        [page(49000), page(49100), DROPPABLE],
      ]),
    );
    await writeFile(
      join(images, "pagemap-1.img"),
      pagemap(5, [
        [0x400000, 2, PRESENT],
        [0x410000, 3, LEFT],
        [page(49500), 1, PRESENT],
      ]),
    );
  });
  afterEach(() => rm(images, { recursive: true }));

  const entries = async () =>
    (await readPagemaps(images))[0]!.entries.map(({ start, pages, where, isLazy }) => [start, pages, where, isLazy]);

  it("tell of it as private memory whose pages are left, in their place and none of them endless", async () => {
    const areas = [
      { start: page(0), end: page(40000) },
      { start: page(40000), end: page(40100) },
    ];
    const present = [
      { start: page(2), end: page(8244) },
      { start: page(39999), end: page(40050) },
    ];
    await completeImages(images, 1, areas, present);
    expect(await entries()).to.deep.equal([
      [0x400000, 2, "present", false],
      [0x410000, 3, "left", true],
      [page(10), 4096, "left", true],
      [page(4106), 4096, "left", true],
      [page(8202), 42, "left", true],
      [page(39999), 1, "left", true],
      [page(40000), 50, "left", true],
      [page(49500), 1, "present", false],
    ]);
    // Memory that is droppable by its owner's wish stays so.
    expect(await readLazyAreas(images, 1)).to.deep.equal([{ start: 0x400000, end: 0x500000 }, ...areas]);
    const flags = (await readFile(join(images, "mm-1.img"))).includes(mappings([[page(49000), page(49100), DROPPABLE]]).subarray(12));
    expect(flags).to.equal(true);
  });

  it("are refused where CRIU knows of no such mapping", async () => {
    const error = await completeImages(images, 1, [{ start: page(0), end: page(39999) }], []).catch(({ message }) => message);
    expect(error).to.match(/process 1 have no mapping at 0x7f0000000000/);
  });

  it("are left as they are where CRIU has seen it after all", async () => {
    const before = await readFile(join(images, "mm-1.img"));
    const area = { start: 0x400000, end: 0x500000 };
    await completeImages(images, 1, [area], [area]);
    expect(await readFile(join(images, "mm-1.img"))).to.deep.equal(before);
    expect((await entries()).map(([start]) => start)).to.deep.equal([0x400000, 0x410000, page(49500)]);
  });
});
