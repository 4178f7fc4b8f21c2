import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect } from "chai";
import { book, bookSent, type Pace, paced } from "../../../executor/channel/pace.js";

describe("a bandwidth cap", () => {
  it("lets nobody send more than its rate, however many draw on it", () => {
    const pace: Pace = { bytesPerSecond: 1000, freeAt: 0 };
    let now = 100;
    let sent = 0;
    for (let piece = 0; piece < 50; piece++) {
      now += book(pace, 100, now);
      sent += 100;
      // One piece and a short burst may be ahead of the clock.
      expect(sent).to.be.at.most(1000 * (now - 100) + 1000 * 0.05 + 100 + 1e-6);
    }
    expect(now - 100).to.be.closeTo(4.85, 0.001);
  });

  it("does not save up what was not used", () => {
    const pace: Pace = { bytesPerSecond: 1000, freeAt: 0 };
    book(pace, 100, 10);
    expect(book(pace, 1000, 500)).to.equal(0);
    expect(book(pace, 100, 500)).to.be.closeTo(0.95, 0.001);
  });

  it("makes others wait for what has left already, but for a second at most", () => {
    const pace: Pace = { bytesPerSecond: 1000, freeAt: 0 };
    bookSent(pace, 500, 100);
    expect(book(pace, 100, 100)).to.be.closeTo(0.45, 0.001);
    bookSent(pace, 1e6, 100);
    expect(book(pace, 100, 100)).to.be.closeTo(1, 0.001);
    // What others have booked stands.
    book(pace, 5000, 100);
    const { freeAt } = pace;
    bookSent(pace, 1e6, 100);
    expect(pace.freeAt).to.equal(freeAt);
  });

  it("changes no byte, and counts each", async () => {
    const given = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    for (const pace of [null, { bytesPerSecond: 3e6, freeAt: 0 }]) {
      let count = 0;
      const through = Readable.from([given.subarray(0, 200_000), given.subarray(200_000)]).pipe(
        paced(pace, (bytes) => {
          count += bytes;
        }),
      );
      expect((await buffer(through)).equals(given)).to.equal(true);
      expect(count).to.equal(given.length);
    }
  });
});
