import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { expect } from "chai";
import { compressionPays, leastBytesThatPay } from "../../../executor/channel/compression-pays.js";
import { compress, decompress } from "../../../executor/channel/zstd.js";

const MBIT = 1e6 / 8;
const link = { bytesPerSecond: 1000 * MBIT, capBytesPerSecond: null, cores: 4 };

describe("compression", () => {
  it("pays on a slow link and not on a fast one", () => {
    expect(compressionPays({ ...link, bytesPerSecond: 100 * MBIT })).to.equal(true);
    expect(compressionPays(link)).to.equal(true);
    expect(compressionPays({ ...link, bytesPerSecond: 10_000 * MBIT })).to.equal(false);
  });

  it("pays the longer, the more cores there are", () => {
    const paysAt = (cores: number) =>
      [1, 2, 4, 8, 16].filter((gbit) => compressionPays({ ...link, cores, bytesPerSecond: gbit * 1000 * MBIT }));
    expect(paysAt(1)).to.deep.equal([]);
    expect(paysAt(2)).to.deep.equal([1]);
    expect(paysAt(8)).to.deep.equal([1, 2, 4, 8]);
  });

  it("pays on a fast link of which little may be used", () => {
    expect(compressionPays({ ...link, bytesPerSecond: 10_000 * MBIT, capBytesPerSecond: 100 * MBIT })).to.equal(true);
  });

  it("is left out where nobody knows the link", () => {
    expect(compressionPays({ ...link, bytesPerSecond: null })).to.equal(false);
  });

  it("pays in a freeze only for what takes longer to send than the two programs to start", () => {
    // 100 Mbit/s: 80 ns a byte as it is, half of that compressed.
    expect(leastBytesThatPay({ ...link, bytesPerSecond: 100 * MBIT })).to.be.closeTo(750e3, 1);
    expect(leastBytesThatPay({ ...link, bytesPerSecond: 10 * MBIT })).to.be.closeTo(75e3, 1);
    expect(leastBytesThatPay({ ...link, bytesPerSecond: 100_000 * MBIT })).to.equal(Number.POSITIVE_INFINITY);
    expect(leastBytesThatPay({ ...link, bytesPerSecond: null })).to.equal(Number.POSITIVE_INFINITY);
  });

  it("gives back what it was given, in fewer bytes", async () => {
    const given = Buffer.alloc(3 << 20, "evenkeel");
    const small = await buffer(Readable.from([given], { objectMode: false }).pipe(compress()));
    expect(small.length).to.be.lessThan(given.length / 10);
    expect((await buffer(Readable.from([small], { objectMode: false }).pipe(decompress()))).equals(given)).to.equal(true);
  });

  it("says so when what comes was cut off, or never was compressed", async () => {
    const small = await buffer(Readable.from([Buffer.alloc(3 << 20, "evenkeel")], { objectMode: false }).pipe(compress()));
    for (const bytes of [small.subarray(0, small.length - 5), Buffer.from("not zstd at all")]) {
      const plain = decompress();
      const read = buffer(plain).catch((error: Error) => error);
      await pipeline(Readable.from([bytes], { objectMode: false }), plain).catch(() => {});
      expect(String(await read)).to.include("zstd ended with 1");
    }
  });
});
