import { expect } from "chai";
import fc from "fast-check";
import { cutIntoBlocks } from "../../../executor/pages/page-blocks.js";
import { type AnswerPages, makePageBroker } from "../../../executor/pages/page-broker.js";
import { COMMAND, encodeFrame, type Frame, makeFrameReader } from "../../../executor/pages/page-wire.js";
import { PAGE_BYTES } from "../../../executor/pages/pagemap-image.js";

/** Each page begins with its process and address, so that one in the wrong place shows. */
function contents(pid: number, address: number, pages: number): Buffer {
  const body = Buffer.alloc(pages * PAGE_BYTES);
  for (let page = 0; page < pages; page++) {
    body.writeUInt32LE(pid, page * PAGE_BYTES);
    body.writeBigUInt64LE(BigInt(address + page * PAGE_BYTES), page * PAGE_BYTES + 8);
  }
  return body;
}

const anyRanges = fc
  .array(fc.record({ pid: fc.integer({ min: 1, max: 3 }), gap: fc.integer({ min: 1, max: 5 }), pages: fc.integer({ min: 1, max: 150 }) }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => {
    const next = new Map<number, number>();
    return parts
      .map(({ pid, gap, pages }) => {
        const start = (next.get(pid) ?? 0x10000) + gap * PAGE_BYTES;
        next.set(pid, start + pages * PAGE_BYTES);
        return { pid, start, pages };
      })
      .sort((a, b) => a.pid - b.pid || a.start - b.start);
  });

describe("The page broker", function () {
  this.timeout(60_000);

  it("gives every page asked for, right and in the order asked, whatever arrives when, at whatever pace, and however often the link is cut", () => {
    fc.assert(
      fc.property(anyRanges, fc.infiniteStream(fc.nat()), (ranges, random) => {
        const draw = (most: number) => random.next().value! % most;
        const blocks = cutIntoBlocks(ranges);
        let online = true;
        let isHeld = false;
        let [now, wakeAt] = [0, 0];
        let wire: Pick<Frame, "pid" | "address" | "pages">[] = [];
        const waiting: Frame[] = [];
        const broker = makePageBroker(blocks, {
          // Before and after the time in which nothing is sent ahead.
          seconds: () => {
            now += draw(draw(2) === 0 ? 3 : 100) / 1000;
            return now;
          },
          wake: (seconds) => {
            isHeld = true;
            expect(seconds).to.be.within(0, 1);
            wakeAt = now + seconds;
          },
          ask: (block) => {
            if (online) wire.push(block);
            return online;
          },
        });
        const missing: Frame[] = ranges.map(({ pid, start, pages }) => ({ command: COMMAND.get, pid, address: start, pages }));
        const answer: AnswerPages = ({ pid, address, pages }, bodies) => {
          const asked = waiting.shift()!;
          expect([pid, address]).to.deep.equal([asked.pid, asked.address]);
          expect(pages).to.be.within(1, asked.pages);
          expect(Buffer.concat(bodies).equals(contents(pid, address, pages))).to.equal(true);
          // As CRIU does: what a short answer left out is asked for again.
          if (pages < asked.pages) missing.push({ ...asked, address: address + pages * PAGE_BYTES, pages: asked.pages - pages });
        };
        const request = () => {
          const index = draw(missing.length);
          const [range] = missing.splice(index, 1) as [Frame];
          const first = draw(range.pages);
          const pages = 1 + draw(Math.min(range.pages - first, draw(2) === 0 ? 1 : 200));
          const frame = { ...range, address: range.address + first * PAGE_BYTES, pages };
          if (first > 0) missing.push({ ...range, pages: first });
          const rest = range.pages - first - pages;
          if (rest > 0) missing.push({ ...range, address: frame.address + pages * PAGE_BYTES, pages: rest });
          waiting.push(frame);
          broker.request(frame, answer);
        };
        const deliver = () => {
          const block = wire.splice(draw(3) === 0 ? draw(wire.length) : 0, 1)[0]!;
          broker.arrived({ ...block, command: COMMAND.pages }, contents(block.pid, block.address, block.pages));
        };
        const cut = () => {
          online = false;
          wire = [];
        };
        const look = () => {
          isHeld = false;
          now = Math.max(now, wakeAt);
          broker.look();
        };
        const heal = () => {
          online = true;
          broker.connected();
        };
        const setPace = () => broker.keepTo(draw(3) === 0 ? null : 1 + draw(10_000_000));
        broker.connected();
        while (missing.length > 0 || waiting.length > 0) {
          const choices = [
            ...(missing.length > 0 && waiting.length < 5 ? [request, request] : []),
            ...(wire.length > 0 ? [deliver, deliver, deliver] : []),
            ...(isHeld ? [look] : []),
            ...(online && draw(20) === 0 ? [cut] : []),
            ...(online ? [] : [heal]),
            ...(draw(20) === 0 ? [setPace] : []),
          ];
          expect(choices).to.not.have.length(0, "nothing is on the way and somebody waits");
          choices[draw(choices.length)]!();
        }
        expect(broker.doneBytes()).to.equal(blocks.totalBytes);
      }),
      { numRuns: 40 },
    );
  });

  it("makes no fault wait for what nobody waits for, in the first moments, and holds that no longer than until none has come for a while", () => {
    let now = 0;
    let wakeAfter: number | null = null;
    const asked: Pick<Frame, "pid" | "address" | "pages">[] = [];
    const answers: (readonly [address: number, pages: number])[] = [];
    const broker = makePageBroker(cutIntoBlocks([{ pid: 1, start: 0x100000, pages: 320 }]), {
      seconds: () => now,
      wake: (seconds) => {
        wakeAfter = seconds;
      },
      ask: (block) => asked.push(block) > 0,
    });
    const deliver = () => {
      for (const { pid, address, pages } of asked.splice(0))
        broker.arrived({ command: COMMAND.pages, pid, address, pages }, contents(pid, address, pages));
    };
    const request = (address: number, pages: number) =>
      broker.request({ pid: 1, address, pages }, (given) => void answers.push([given.address, given.pages]));
    broker.connected();
    deliver();
    request(0x100000, 16);
    expect(answers).to.deep.equal([]);
    now += 0.001;
    request(0x200000, 1);
    expect(answers, "the fault has something before it, which is here").to.deep.equal([[0x100000, 16]]);
    deliver();
    expect(answers.at(-1)).to.deep.equal([0x200000, 1]);
    request(0x110000, 16);
    expect(answers).to.have.length(2);
    now += wakeAfter!;
    broker.look();
    expect(answers.at(-1)).to.deep.equal([0x110000, 16]);
  });

  it("refuses a request for a page that no image leaves out", () => {
    const broker = makePageBroker(cutIntoBlocks([{ pid: 1, start: 0x1000, pages: 1 }]), {
      ask: () => true,
      wake: () => {},
      seconds: () => 0,
    });
    expect(() => broker.request({ pid: 1, address: 0x3000, pages: 1 }, () => {})).to.throw("0x3000");
  });
});

describe("Frames of pages", () => {
  it("are put together from any pieces", () => {
    const frames = [
      { command: COMMAND.get, pages: 3, address: 0x7fffdeadb000, pid: 4 },
      { command: COMMAND.pages, pages: 1, address: 0x1000, pid: 9 },
      { command: COMMAND.pages, pages: 2, address: 0x5000, pid: 9 },
    ];
    const body = (frame: Frame) => (frame.command === COMMAND.pages ? contents(frame.pid, frame.address, frame.pages) : Buffer.alloc(0));
    const stream = Buffer.concat(frames.flatMap((frame) => [encodeFrame(frame), body(frame)]));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 20 }), (cuts) => {
        const seen: Frame[] = [];
        const read = makeFrameReader(
          (frame) => body(frame).length,
          (frame, bytes) => {
            expect(bytes.equals(body(frame))).to.equal(true);
            seen.push(frame);
          },
        );
        let at = 0;
        for (const length of [...cuts, stream.length]) {
          if (at < stream.length) read(stream.subarray(at, at + length));
          at += length;
        }
        expect(seen).to.deep.equal(frames);
      }),
    );
  });
});
