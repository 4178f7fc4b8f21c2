import { expect } from "chai";
import { cutIntoBlocks } from "../../../executor/pages/page-blocks.js";
import { markPresent, PAGE_BYTES, parsePagemap } from "../../../executor/pages/pagemap-image.js";

/** As CRIU 4.2.1 writes it: magic numbers, the name of the page file, an entry whose pages are in the images, one whose pages are left out. */
const IMAGE = Buffer.from(
  [
    ["19435654", "25400856"],
    ["02000000", "0801"],
    ["0b000000", "0880c088021000", "2004", "2801"],
    ["0b000000", "0880c0d1051000", "2002", "2817"],
  ]
    .flat()
    .join(""),
  "hex",
);

describe("CRIU's pagemap image", () => {
  it("tells the file of pages, and which ranges are there and which were left", () => {
    const { pagesId, entries } = parsePagemap(IMAGE, 1);
    expect(pagesId).to.equal(1);
    expect(entries.map(({ start, pages, where }) => ({ start, pages, where }))).to.deep.equal([
      { start: 0x422000, pages: 1, where: "present" },
      { start: 0xb46000, pages: 0x17, where: "left" },
    ]);
  });

  it("says of ranges that were taken along after all that they are there, and nothing else", () => {
    const { entries } = parsePagemap(IMAGE, 1);
    const marked = parsePagemap(markPresent(IMAGE, entries.slice(1)), 1);
    expect(marked.entries.map(({ where }) => where)).to.deep.equal(["present", "present"]);
    expect(marked.entries.map(({ start, pages }) => [start, pages])).to.deep.equal(entries.map(({ start, pages }) => [start, pages]));
  });

  it("that is cut short is refused", () => {
    expect(() => parsePagemap(IMAGE.subarray(0, IMAGE.length - 1), 1)).to.throw("ends within an entry");
  });
});

describe("Missing memory cut into blocks", () => {
  const ranges = [
    { pid: 1, start: 0x10000, pages: 3 },
    { pid: 1, start: 0x7f0000000000, pages: 1000 },
    { pid: 1, start: 0x7ffff0000000, pages: 2 },
    { pid: 7, start: 0x10000, pages: 40 },
  ];
  const blocks = cutIntoBlocks(ranges);

  it("holds each page once, and none beside them", () => {
    expect(blocks.totalBytes).to.equal(1045 * PAGE_BYTES);
    for (const { pid, start, pages } of ranges) {
      for (let page = 0; page < pages; page++) {
        const address = start + page * PAGE_BYTES;
        const block = blocks.at(blocks.find(pid, address)!);
        expect(block.pid).to.equal(pid);
        expect(address).to.be.within(block.address, block.address + block.pages * PAGE_BYTES - 1);
      }
      expect(blocks.find(pid, start - PAGE_BYTES)).to.equal(null);
      expect(blocks.find(pid, start + pages * PAGE_BYTES)).to.equal(null);
    }
    expect(blocks.find(2, 0x10000)).to.equal(null);
  });
});
