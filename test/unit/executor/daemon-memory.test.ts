import { expect } from "chai";
import { makeDaemonMemory } from "../../../executor/pages/daemon-memory.js";
import { PAGE_BYTES } from "../../../executor/pages/pagemap-image.js";

const START = 0x7fc86a000000;
const OTHER = 0x7fc86b000000;
const PAGES = 64;
const RANGES = [
  { pid: 1, start: START, pages: PAGES },
  { pid: 1, start: OTHER, pages: PAGES },
  { pid: 7, start: START, pages: PAGES },
];
const at = (page: number, start = START) => start + page * PAGE_BYTES;
const hex = (address: number) => address.toString(16);

/** As CRIU 4.2 says it. */
const SAID = {
  received: (pid: number, uffd: number) => `(00.301064) uffd: Received PID: ${pid}, uffd: ${uffd}\n`,
  copies: (who: string, address: number, pages: number) => `(00.323128) uffd: ${who}: uffd_copy: 0x${hex(address)}/${pages * PAGE_BYTES}\n`,
  failed: (who: string, code: number, errno: number) => `(00.323129) uffd: ${who}: copy: mcopy_rc:${code}, errno:${errno}\n`,
  removed: (who: string, address: number, pages: number) =>
    `(00.323224) uffd: ${who}: REMOVE: ${hex(address)}(${hex(pages * PAGE_BYTES)})\n`,
  unmapped: (who: string, address: number, pages: number) =>
    `(00.323224) uffd: ${who}: UNMAP: ${hex(address)}(${hex(pages * PAGE_BYTES)})\n`,
  moved: (who: string, from: number, to: number, pages: number) =>
    `(00.323224) uffd: ${who}: REMAP: ${hex(from)} -> ${hex(to)} (${pages * PAGE_BYTES})\n`,
  refused: (who: string, errno: number) => `(00.323129) uffd: ${who}: zero: mcopy_rc:-${errno}, errno:${errno}\n`,
  zeroes: (who: string, address: number) => `(00.323129) uffd: ${who}: zero page at 0x${hex(address)}\n`,
  forked: (who: string, child: number) => `(00.323224) uffd: ${who}: FORK: child with ufd=${child}\n`,
  ended: (who: string) => `(00.323224) uffd: ${who}: EXIT\n`,
  done: (who: string) => `(00.323224) uffd: ${who}: UFFD transferred pages: (64/128)\n`,
  next: (who: string) => `(00.325045) uffd: ${who}: #PF at 0x7fc86d402000\n(00.325045) uffd: ${who}: REMOVE: 1000(1000)\n`,
};

function heard(...lines: string[]) {
  const memory = makeDaemonMemory(RANGES);
  memory.hear(lines.join(""));
  return memory;
}

/** All that it lacks of a part of the images, each as [descriptor, page there, page in the images, pages]. */
const lacks = (memory: ReturnType<typeof makeDaemonMemory>, pid = 1, start = START) =>
  memory
    .within({ pid, start, pages: PAGES })
    .map(({ uffd, start: now, image, pages }) => [uffd, (now - start) / PAGE_BYTES, (image - start) / PAGE_BYTES, pages]);

describe("What CRIU's daemon has still to fill in, by its own words", () => {
  it("is all that the images leave to it when it has received a process, and nothing of one that it has not", () => {
    const memory = heard(SAID.received(1, 9));
    expect(lacks(memory)).to.deep.equal([[9, 0, 0, PAGES]]);
    expect(lacks(memory, 1, OTHER)).to.deep.equal([[9, 0, 0, PAGES]]);
    expect(lacks(memory, 7)).to.deep.equal([]);
    expect(memory.isWhole()).to.equal(false);
  });

  it("is less by what it has copied, as soon as it goes on to something else", () => {
    const memory = heard(SAID.received(1, 9), SAID.copies("1-9", at(0), 16));
    expect(lacks(memory)).to.deep.equal([[9, 0, 0, PAGES]]);
    memory.hear(SAID.next("1-9"));
    expect(lacks(memory)).to.deep.equal([[9, 16, 16, PAGES - 16]]);
  });

  it("is less by no more than what the kernel took", () => {
    const memory = heard(SAID.received(1, 9), SAID.copies("1-9", at(0), 16), SAID.failed("1-9", -11, 11));
    expect(lacks(memory)).to.deep.equal([[9, 0, 0, PAGES]]);
    memory.hear(SAID.copies("1-9", at(0), 16) + SAID.failed("1-9", 4 * PAGE_BYTES, 11));
    expect(lacks(memory)).to.deep.equal([[9, 4, 4, PAGES - 4]]);
  });

  it("is not what its process has given back or unmapped", () => {
    const memory = heard(SAID.received(1, 9), SAID.removed("1-9", at(3), 1), SAID.unmapped("1-9", at(62), 500));
    expect(lacks(memory)).to.deep.equal([
      [9, 0, 0, 3],
      [9, 4, 4, 58],
    ]);
  });

  it("is where its process has moved it, over what was there", () => {
    const memory = heard(SAID.received(1, 9), SAID.removed("1-9", at(10), 2), SAID.moved("1-9", at(8), at(20, OTHER), 4));
    expect(lacks(memory)).to.deep.equal([
      [9, 0, 0, 8],
      [9, 12, 12, PAGES - 12],
      [9, 20 + (OTHER - START) / PAGE_BYTES, 8, 2],
    ]);
    expect(lacks(memory, 1, OTHER)).to.deep.equal([
      [9, 0, 0, 20],
      [9, 24, 24, PAGES - 24],
    ]);
    memory.hear(SAID.copies("1-9", at(20, OTHER), 1) + SAID.next("1-9"));
    expect(lacks(memory).at(-1)).to.deep.equal([9, 21 + (OTHER - START) / PAGE_BYTES, 9, 1]);
  });

  it("is not lost where another part of the process has moved, before the kernel says that the first has gone from there", () => {
    const memory = heard(
      SAID.received(1, 9),
      SAID.moved("1-9", at(8), at(200), 4),
      SAID.moved("1-9", at(0, OTHER), at(8), 4),
      SAID.unmapped("1-9", at(8), 4),
      SAID.unmapped("1-9", at(0, OTHER), 4),
    );
    expect(lacks(memory, 1, OTHER)).to.deep.equal(
      [
        [9, 4, 4, PAGES - 4],
        [9, 8 + (START - OTHER) / PAGE_BYTES, 0, 4],
      ].sort((one, other) => one[1]! - other[1]!),
    );
    memory.hear(SAID.unmapped("1-9", at(8), 4));
    expect(lacks(memory, 1, OTHER)).to.deep.equal([[9, 4, 4, PAGES - 4]]);
  });

  it("is the same for a child until one of the two goes on", () => {
    const memory = heard(SAID.received(1, 9), SAID.copies("1-9", at(0), 8), SAID.forked("1-9", 12), SAID.removed("1-12", at(60), 4));
    expect(lacks(memory)).to.deep.equal([
      [9, 8, 8, PAGES - 8],
      [12, 8, 8, PAGES - 12],
    ]);
    memory.hear(SAID.ended("1-12"));
    expect(lacks(memory)).to.deep.equal([[9, 8, 8, PAGES - 8]]);
  });

  it("is nothing any more of a process that it has done with, whatever it copied last", () => {
    const memory = heard(SAID.received(1, 9), SAID.copies("1-9", at(0, OTHER), PAGES), SAID.done("1-9"));
    expect(memory.isWhole()).to.equal(true);
  });

  it("is kept apart for processes that have the same addresses", () => {
    const memory = heard(SAID.received(1, 9), SAID.received(7, 10), SAID.copies("7-10", at(0), PAGES), SAID.next("7-10"));
    expect(lacks(memory, 7)).to.deep.equal([]);
    expect(lacks(memory)).to.deep.equal([[9, 0, 0, PAGES]]);
  });

  it("is understood whatever pieces its words come in", () => {
    const words = [SAID.received(1, 9), SAID.copies("1-9", at(0), 16), SAID.removed("1-9", at(20), 1), "uffd: 1-9: REM"].join("");
    const memory = makeDaemonMemory(RANGES);
    for (const letter of words) memory.hear(letter);
    expect(lacks(memory)).to.deep.equal([
      [9, 16, 16, 4],
      [9, 21, 21, PAGES - 21],
    ]);
  });

  it("is what the kernel refuses when it does so a hundred times, whatever comes in between, and not when it takes it in the end", () => {
    const refuse = SAID.copies("1-9", at(0), 16) + SAID.failed("1-9", -2, 2);
    const memory = heard(SAID.received(1, 9), SAID.received(7, 10), refuse.repeat(97));
    memory.hear((SAID.copies("1-9", at(40), 1) + refuse).repeat(2));
    expect(memory.isRefused(1)).to.equal(false);
    memory.hear(refuse + SAID.next("1-9"));
    expect([memory.isRefused(1), memory.isRefused(7)]).to.deep.equal([true, false]);
    memory.hear(SAID.copies("1-9", at(0), 16) + SAID.next("1-9"));
    expect(memory.isRefused(1)).to.equal(false);
  });

  it("is spoilt where the daemon gives zeros for it, and not where it has nothing to give", () => {
    const memory = heard(SAID.received(1, 9), SAID.zeroes("1-9", at(500)), SAID.zeroes("1-9", at(3)), SAID.refused("1-9", 17));
    expect(memory.spoilt()).to.equal(null);
    memory.hear(SAID.zeroes("1-9", at(3)) + SAID.next("1-9"));
    expect(memory.spoilt()).to.equal(`process 1 has zeros at 0x${hex(at(3))}`);
  });

  it("keeps a thread asleep that touched memory with nothing in it while its process changed its mappings", () => {
    const memory = heard(SAID.received(1, 9), SAID.zeroes("1-9", at(500)), SAID.refused("1-9", 11));
    expect(memory.takeSleepers()).to.deep.equal([{ uffd: 9, start: at(500) }]);
    expect(memory.takeSleepers()).to.deep.equal([]);
  });

  it("is found from a place on, then from the beginning, and is nothing once others have filled it in or its process is gone", () => {
    const memory = heard(SAID.received(1, 9), SAID.copies("1-9", at(0, OTHER), PAGES), SAID.next("1-9"), SAID.received(7, 10));
    expect(memory.first(1, at(30))).to.deep.equal({ uffd: 9, pid: 1, start: at(30), image: at(30), pages: PAGES - 30 });
    memory.filled(memory.first(1, at(30))!);
    expect(memory.first(1, at(30))).to.include({ start: at(0), pages: 30 });
    memory.filled(memory.first(1, at(30))!);
    expect(memory.first(1, 0)).to.equal(null);
    expect(memory.isWhole()).to.equal(false);
    memory.gone(10);
    expect(memory.isWhole()).to.equal(true);
  });
});
