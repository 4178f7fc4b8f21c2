import { expect } from "chai";
import { cutIntoBlocks } from "../../../executor/pages/page-blocks.js";
import { PAGE_BYTES, parsePagemap } from "../../../executor/pages/pagemap-image.js";

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
  it("tells the ranges that the images leave out, and no others", () => {
    expect(parsePagemap(IMAGE, 1)).to.deep.equal([{ pid: 1, start: 0xb46000, pages: 0x17 }]);
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

  it("is sent with the small mappings of all processes first, each block once", () => {
    const order = blocks.sendingOrder.map((block) => blocks.at(block));
    expect(order.slice(0, 4).map(({ pid, pages }) => [pid, pages])).to.deep.equal([
      [1, 3],
      [1, 2],
      [7, 32],
      [7, 8],
    ]);
    expect(new Set(blocks.sendingOrder).size).to.equal(blocks.count);
  });
});
