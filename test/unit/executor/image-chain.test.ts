import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { assertWhole, type ImageLayer, letMemoryFollow, locate, readChain, readLayer } from "../../../executor/pages/image-chain.js";
import { PAGE_BYTES, type PageRange, readPagemaps } from "../../../executor/pages/pagemap-image.js";
import { IN_PARENT, LEFT, LOCKED, mappings, PRESENT, PRIVATE, pagemap } from "../../support/pagemap-bytes.js";

const LAZY = PRESENT | LEFT;
const HEAP = 0x10000000;
/** Larger than what is restored at once. */
const LARGE_PAGES = 8000;
const LARGE = 0x7f0000000000;
const STACK = 0x7ffff0000000;
const pagesOf = (ranges: readonly PageRange[]) => ranges.reduce((sum, { pages }) => sum + pages, 0);
const page = (start: number, number: number) => start + number * PAGE_BYTES;

const RUN = 4096;
const MAPPINGS = [
  [HEAP, page(HEAP, 8), PRIVATE],
  [LARGE, page(LARGE, LARGE_PAGES + 1), PRIVATE],
  [STACK, page(STACK, 4), PRIVATE],
] as const;

/** Two rounds and what was written after them: of the large piece the pages 10 to 14, and of these 12 once more in the end. */
const ROUNDS = [
  [
    [HEAP, 3, LAZY],
    [LARGE, LARGE_PAGES, LAZY],
    [STACK, 4, PRESENT],
  ],
  [
    [HEAP, 3, IN_PARENT],
    [LARGE, 10, IN_PARENT],
    [page(LARGE, 10), 5, LAZY],
    [page(LARGE, 15), LARGE_PAGES - 15, IN_PARENT],
    [page(STACK, 1), 1, PRESENT],
    [page(STACK, 2), 2, IN_PARENT],
  ],
] as const;
const FINAL = [
  [HEAP, 1, LAZY],
  [page(HEAP, 1), 2, IN_PARENT],
  [LARGE, 12, IN_PARENT],
  [page(LARGE, 12), 1, LAZY],
  [page(LARGE, 13), LARGE_PAGES - 13, IN_PARENT],
  [page(STACK, 1), 3, IN_PARENT],
] as const;

describe("The images of a workload that came in rounds", () => {
  let images: string;
  let layers: ImageLayer[];

  beforeEach(async () => {
    images = await mkdtemp(join(tmpdir(), "chain-"));
    const folders = [join(images, "rounds/1"), join(images, "rounds/2"), images];
    for (const [index, entries] of [...ROUNDS, FINAL].entries()) {
      await mkdir(folders[index]!, { recursive: true });
      await writeFile(join(folders[index]!, "pagemap-7.img"), pagemap(index + 1, entries));
    }
    await writeFile(join(images, "mm-7.img"), mappings(MAPPINGS));
    await symlink("../1", join(images, "rounds/2/parent"));
    await symlink("rounds/2", join(images, "parent"));
    layers = await readChain(images, await readLayer(join(images, "rounds/1")));
  });

  afterEach(async () => {
    await rm(images, { recursive: true });
  });

  const entries = async () =>
    (await readPagemaps(images)).flatMap((map) => map.entries.map(({ start, pages, where, isLazy }) => [start, pages, where, isLazy]));
  const follow = async () => letMemoryFollow(await readChain(images, await readLayer(join(images, "rounds/1"))));

  const placeOf = (address: number) => {
    const place = locate(layers, 7, address);
    return place && [place.file.slice(images.length + 1), place.offset / PAGE_BYTES, place.pages];
  };

  it("give each page as it was last, from where it lies, with those beside it that lie there too", () => {
    expect(placeOf(HEAP)).to.deep.equal(["pages-3.img", 0, 1]);
    expect(placeOf(page(HEAP, 1))).to.deep.equal(["rounds/1/pages-1.img", 1, 2]);
    expect(placeOf(LARGE)).to.deep.equal(["rounds/1/pages-1.img", 3, 10]);
    expect(placeOf(page(LARGE, 11))).to.deep.equal(["rounds/2/pages-2.img", 1, 1]);
    expect(placeOf(page(LARGE, 12))).to.deep.equal(["pages-3.img", 1, 1]);
    expect(placeOf(page(LARGE, 13))).to.deep.equal(["rounds/2/pages-2.img", 3, 2]);
    expect(placeOf(page(LARGE, 15))).to.deep.equal(["rounds/1/pages-1.img", 18, LARGE_PAGES - 15]);
    expect(placeOf(page(STACK, 1))).to.deep.equal(["rounds/2/pages-2.img", 5, 1]);
    expect(placeOf(page(STACK, 2))).to.deep.equal(["rounds/1/pages-1.img", 3 + LARGE_PAGES + 2, 2]);
  });

  it("give nothing for a page that none of them has, or another process", () => {
    expect(placeOf(page(HEAP, 3))).to.equal(null);
    expect(placeOf(STACK)).to.equal(null);
    expect(locate(layers, 8, HEAP)).to.equal(null);
  });

  it("let the large pieces follow the resume, in whichever round they lie, and have the small ones and the stack restored before it", async () => {
    expect(pagesOf(await letMemoryFollow(layers))).to.equal(LARGE_PAGES);
    expect(await entries()).to.deep.equal([
      [HEAP, 1, "present", false],
      [page(HEAP, 1), 2, "elsewhere", false],
      [LARGE, 12, "left", true],
      [page(LARGE, 12), 1, "present", true],
      [page(LARGE, 13), RUN, "left", true],
      [page(LARGE, 13 + RUN), LARGE_PAGES - 13 - RUN, "left", true],
      [page(STACK, 1), 3, "elsewhere", false],
    ]);
    // What is fed is where it was.
    expect(placeOf(LARGE)).to.deep.equal(["rounds/1/pages-1.img", 3, 10]);
  });

  it("do not let a page follow of which a round says that it must be there from the beginning, but what lies beside it", async () => {
    const mixed = [
      [LARGE, LARGE_PAGES, LAZY],
      [page(LARGE, LARGE_PAGES), 1, PRESENT],
    ] as const;
    await writeFile(join(images, "rounds/1/pagemap-7.img"), pagemap(1, mixed));
    await rm(join(images, "parent"));
    await symlink("rounds/1", join(images, "parent"));
    await writeFile(join(images, "pagemap-7.img"), pagemap(3, [[LARGE, LARGE_PAGES + 1, IN_PARENT]]));
    expect(pagesOf(await follow())).to.equal(LARGE_PAGES);
    expect(await entries()).to.deep.equal([
      [LARGE, RUN, "left", true],
      [page(LARGE, RUN), LARGE_PAGES - RUN, "left", true],
      [page(LARGE, LARGE_PAGES), 1, "elsewhere", false],
    ]);
  });

  it("do not let memory follow that was locked after its round, and so is not registered for pages that come later", async () => {
    const locked = MAPPINGS.map(([start, end, flags]) => [start, end, start === LARGE ? LOCKED : flags] as const);
    await writeFile(join(images, "mm-7.img"), mappings(locked));
    expect(await follow()).to.deep.equal([]);
    expect((await entries()).filter(([, , where]) => where === "left")).to.deep.equal([]);
  });

  it("do not let the memory of a process follow that began after the last round", async () => {
    await writeFile(join(images, "pagemap-9.img"), pagemap(9, [[page(LARGE, 10 * LARGE_PAGES), LARGE_PAGES, LAZY]]));
    await writeFile(join(images, "mm-9.img"), mappings([[page(LARGE, 10 * LARGE_PAGES), page(LARGE, 11 * LARGE_PAGES), PRIVATE]]));
    expect(pagesOf(await follow())).to.equal(LARGE_PAGES);
    expect((await entries()).at(-1)).to.deep.equal([page(LARGE, 10 * LARGE_PAGES), LARGE_PAGES, "present", false]);
  });

  it("do not let memory follow that two processes share since they were forked", async () => {
    const child = [[LARGE, LARGE_PAGES, IN_PARENT]] as const;
    const first = [[LARGE, LARGE_PAGES, LAZY]] as const;
    await writeFile(join(images, "rounds/1/pagemap-8.img"), pagemap(4, first));
    await writeFile(join(images, "rounds/2/pagemap-8.img"), pagemap(4, child));
    await writeFile(join(images, "pagemap-8.img"), pagemap(4, child));
    await writeFile(join(images, "mm-8.img"), mappings(MAPPINGS));
    expect(await follow()).to.deep.equal([]);
    expect((await entries()).filter(([, , , isLazy]) => isLazy)).to.deep.equal([]);
  });
});

describe("The images of a workload that came in one piece", () => {
  let images: string;

  beforeEach(async () => {
    images = await mkdtemp(join(tmpdir(), "piece-"));
    await add(1, [
      [HEAP, 3, LAZY],
      [LARGE, LARGE_PAGES, LAZY],
      [STACK, 4, PRESENT],
    ]);
  });

  afterEach(async () => {
    await rm(images, { recursive: true });
  });

  async function add(pid: number, entries: readonly (readonly [number, number, number])[]): Promise<void> {
    await writeFile(join(images, `pagemap-${pid}.img`), pagemap(pid, entries));
    await writeFile(join(images, `mm-${pid}.img`), mappings(MAPPINGS));
  }

  const follow = async (mayFill: boolean) => {
    const following = await letMemoryFollow(await readChain(images), async () => mayFill);
    return following.map(({ pid, start, pages }) => [pid, start, pages]);
  };
  const lazy = async () =>
    (await readPagemaps(images)).map(({ entries }) => entries.map(({ where, isLazy }) => where === "present" && isLazy));

  it("let the large pieces follow the resume, and have the small ones restored before it", async () => {
    expect(await follow(true)).to.deep.equal([[1, LARGE, LARGE_PAGES]]);
    expect(await lazy()).to.deep.equal([[false, true, false]]);
  });

  it("let all of it follow where the kernel gives huge pages to everyone: one of them would cover pages that are still to come", async () => {
    expect(await follow(false)).to.deep.equal([
      [1, HEAP, 3],
      [1, LARGE, LARGE_PAGES],
    ]);
    expect(await lazy()).to.deep.equal([[true, true, false]]);
  });

  it("have restored first what processes share since they were forked, and let follow what only one of them has", async () => {
    const own = LARGE + 2 * LARGE_PAGES * PAGE_BYTES;
    await add(2, [
      [LARGE, LARGE_PAGES, LAZY],
      [own, LARGE_PAGES, LAZY],
    ]);
    expect(await follow(true)).to.deep.equal([[2, own, LARGE_PAGES]]);
    expect(await lazy()).to.deep.equal([
      [false, false, false],
      [false, true],
    ]);
  });

  it("let nothing follow where some is forked and the kernel gives huge pages to everyone", async () => {
    await add(2, [[LARGE, LARGE_PAGES, LAZY]]);
    expect(await follow(false)).to.deep.equal([]);
    expect((await lazy()).flat()).to.not.include(true);
  });

  it("are whole if the file of pages is as long as they say", async () => {
    const layers = await readChain(images);
    const file = join(images, "pages-1.img");
    await writeFile(file, Buffer.alloc((3 + LARGE_PAGES + 4) * PAGE_BYTES));
    await assertWhole(layers);
    await truncate(file, PAGE_BYTES);
    const error = await assertWhole(layers).catch((thrown: Error) => thrown);
    expect(String(error)).to.match(/pages-1\.img has 4096 bytes instead of 32796672$/);
  });

  it("give each page from where it lies", async () => {
    const layers = await readChain(images);
    expect(locate(layers, 1, page(LARGE, 5))).to.deep.include({ file: `${layers[0]!.folder}/pages-1.img`, offset: 8 * PAGE_BYTES });
  });
});
