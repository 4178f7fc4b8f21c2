import { expect } from "chai";
import { cutIntoBlocks } from "../../../executor/pages/page-blocks.js";
import { makePageBroker } from "../../../executor/pages/page-broker.js";
import { COMMAND, type Frame } from "../../../executor/pages/page-wire.js";
import { PAGE_BYTES } from "../../../executor/pages/pagemap-image.js";

const BLOCK_BYTES = 128 << 10;
const MIB = 1 << 20;
const MEMORY_BYTES = 64 * MIB;
/** Far more than the pace. */
const LINK_SECONDS = 0.001;
const PACE = 4 * MIB;

type Range = Pick<Frame, "pid" | "address" | "pages">;

/** A broker between a link that answers after a moment and a daemon that asks again for what a short answer left out, on a clock of its own. */
function simulate(bytesPerSecond: number | null) {
  let now = 0;
  const due: { readonly at: number; readonly run: () => void }[] = [];
  const after = (seconds: number, run: () => void) => due.push({ at: now + seconds, run });
  const sent: { readonly at: number; readonly block: Range }[] = [];
  const answers: { readonly at: number; readonly frame: Range }[] = [];
  let wakes = 0;
  const broker = makePageBroker(cutIntoBlocks([{ pid: 1, start: 0, pages: MEMORY_BYTES / PAGE_BYTES }]), {
    seconds: () => now,
    wake: (seconds) => {
      const last = ++wakes;
      after(Math.max(seconds, 0.001), () => last === wakes && broker.look());
    },
    ask: (block) => {
      sent.push({ at: now, block });
      after(LINK_SECONDS, () => broker.arrived({ ...block, command: COMMAND.pages }, Buffer.alloc(block.pages * PAGE_BYTES)));
      return true;
    },
  });
  const asked: Range[] = [];
  const answer = (frame: Range) => {
    answers.push({ at: now, frame });
    const { pid, address, pages } = asked.shift()!;
    if (pages > frame.pages) after(0, () => request(address + frame.pages * PAGE_BYTES, pages - frame.pages, pid));
  };
  const request = (address: number, pages: number, pid = 1) => {
    asked.push({ pid, address, pages });
    broker.request({ pid, address, pages }, answer);
  };
  broker.connected();
  broker.keepTo(bytesPerSecond);
  return {
    request,
    /** Lets so much time go by. */
    run: (seconds: number) => {
      const end = now + seconds;
      for (;;) {
        const next = due.reduce<number>((least, { at }, index) => (least === -1 || at < due[least]!.at ? index : least), -1);
        if (next === -1 || due[next]!.at > end) break;
        const [{ at, run }] = due.splice(next, 1) as [(typeof due)[number]];
        now = at;
        run();
      }
      now = end;
    },
    now: () => now,
    sent,
    sentBytes: () => sent.reduce((sum, { block }) => sum + block.pages * PAGE_BYTES, 0),
    answers,
    broker,
  };
}

describe("The page broker under a cap", () => {
  it("brings no more than that of what nobody waits for, and all of it in the end", () => {
    const { request, run, sentBytes, broker } = simulate(PACE);
    request(0, 1024);
    for (let second = 1; second <= 10; second++) {
      run(1);
      expect(sentBytes()).to.be.within(PACE * (second - 1), PACE * (second + 0.05) + BLOCK_BYTES);
    }
    run(MEMORY_BYTES / PACE);
    expect(broker.doneBytes()).to.equal(MEMORY_BYTES);
  });

  it("brings as fast as the link takes it where there is none, and again when it has been lifted", () => {
    for (const lifted of [false, true]) {
      const { request, run, broker } = simulate(lifted ? PACE : null);
      request(0, 1024);
      if (lifted) broker.keepTo(null);
      run(1);
      request(4 * MIB, 1024);
      run(1);
      expect(broker.doneBytes()).to.equal(MEMORY_BYTES);
    }
  });

  it("asks at once for a page that a thread stands still for, however much it has fallen behind, and lets the rest wait for it", () => {
    const { request, run, now, sent, answers } = simulate(PACE);
    request(0, 1024);
    run(1);
    for (let fault = 0; fault < 100; fault++) {
      const address = MEMORY_BYTES / 2 + fault * BLOCK_BYTES;
      const began = now();
      request(address, 1);
      expect(sent.at(-1)).to.deep.include({ at: began });
      run(0.01);
      expect(answers.at(-1)!.frame).to.deep.equal({ pid: 1, address, pages: 1 });
    }
    const hurried = sent.filter(({ block }) => block.address >= MEMORY_BYTES / 2).length;
    const since = now();
    run(0.5);
    expect(hurried).to.equal(100);
    expect(sent.filter(({ at }) => at > since)).to.have.length(0);
    run(2);
    expect(sent.filter(({ at }) => at > since).length).to.be.greaterThan(0);
  });

  it("hurries what the daemon asked for before, as far as it must be answered before that page", () => {
    const { request, run, sent, answers } = simulate(PACE / 64);
    request(32 * MIB, 1);
    run(0.01);
    request(MIB, 1024);
    const paced = sent.length;
    request(8 * MIB, 1);
    expect(sent.slice(paced).map(({ block }) => block.address)).to.include.members([MIB, 8 * MIB]);
    run(0.01);
    expect(answers.slice(1).map(({ frame }) => [frame.address, frame.pages])).to.deep.equal([
      [MIB, BLOCK_BYTES / PAGE_BYTES],
      [8 * MIB, 1],
    ]);
    expect(sent).to.have.length(paced + 2);
  });
});
