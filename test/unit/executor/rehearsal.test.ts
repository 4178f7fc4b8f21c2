import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { COMMAND, type Frame, makeFrameReader } from "../../../executor/pages/page-wire.js";
import { PAGE_BYTES } from "../../../executor/pages/pagemap-image.js";
import { type Rehearsal, rehearse } from "../../../executor/pages/rehearsal.js";

/** Far more than it takes: each question is a turn or two. */
const TURNS = 5000;

describe("A rehearsal of faults", () => {
  let asked: Frame[];
  let isOver: boolean;
  let answers: boolean;

  const begin = (): Rehearsal => {
    const toSource = makeFrameReader(
      () => 0,
      (frame) => {
        asked.push(frame);
        if (answers) setImmediate(() => rehearsal.arrived(frame, Buffer.alloc(frame.pages * PAGE_BYTES)));
      },
    );
    const rehearsal = rehearse(toSource, () => isOver);
    return rehearsal;
  };
  const untilStill = async () => {
    for (let at = 0, before = -1; at < TURNS && (asked.length !== before || at % 10 !== 0); at++) {
      if (at % 10 === 0) before = asked.length;
      await turn();
    }
  };

  beforeEach(() => {
    asked = [];
    isOver = false;
    answers = true;
  });

  it("asks for made-up pages of no process, none of them twice", async () => {
    begin();
    await untilStill();
    expect(asked.length).to.be.greaterThan(10);
    expect(new Set(asked.map(({ address }) => address)).size).to.equal(asked.length);
    expect(asked.every(({ command, pid }) => command === COMMAND.rehearse && pid === 0)).to.equal(true);
  });

  it("ends at once when the workload's own faults begin, and takes no harm from what comes then", async () => {
    const rehearsal = begin();
    while (asked.length < 3) await turn();
    isOver = true;
    await untilStill();
    const { length } = asked;
    rehearsal.arrived(asked[0]!, Buffer.alloc(asked[0]!.pages * PAGE_BYTES));
    await untilStill();
    expect(asked.length).to.equal(length);
  });

  it("waits for a source that does not know of it, and keeps nobody else waiting", async () => {
    answers = false;
    begin();
    await untilStill();
    expect(asked.length).to.be.below(10);
  });
});
