import { expect } from "chai";
import {
  isWorthClosing,
  nextStep,
  SHRINK_LEAST,
  SMALL_BYTES,
  type StopRuleFacts,
  UNKNOWN_SHARE,
} from "../../../executor/migration/stop-rule.js";
import { ROUNDS_MOST } from "../../../executor/peer/protocol.js";

const MIB = 1 << 20;
const GIB = 1 << 30;

/** The second round of a workload that wrote 100 MiB/s while 1 GiB crossed at 1 GiB/s. */
const SECOND: StopRuleFacts = {
  round: 2,
  bytes: 100 * MIB,
  seconds: 0.2,
  previous: { bytes: GIB, seconds: 1 },
  linkBytesPerSecond: GIB,
  blackoutBudgetSeconds: 0.01,
  roomBytes: GIB,
};
const go = (facts: Partial<StopRuleFacts>) => nextStep({ ...SECOND, ...facts }).go;
const why = (facts: Partial<StopRuleFacts>) => nextStep({ ...SECOND, ...facts }).why;

/** Carries the rule out on a workload that writes evenly; the bytes of each round and what is left for the freeze. */
function carryOut(memoryBytes: number, dirtyBytesPerSecond: number, linkBytesPerSecond: number, roomBytes = 2 * memoryBytes) {
  const rounds: { bytes: number; seconds: number }[] = [];
  let bytes = memoryBytes;
  let left = roomBytes;
  for (;;) {
    const previous = rounds.at(-1) ?? null;
    const seconds = bytes / linkBytesPerSecond;
    rounds.push({ bytes, seconds });
    left -= bytes;
    const facts = { round: rounds.length, bytes, seconds, previous, linkBytesPerSecond, blackoutBudgetSeconds: 0.1, roomBytes: left };
    bytes = Math.min(memoryBytes, dirtyBytesPerSecond * seconds);
    if (nextStep(facts).go === "freeze") return { rounds: rounds.map((round) => round.bytes), leftBytes: bytes, roomBytes: left };
  }
}

describe("The rule that ends pre-copy", () => {
  it("makes a second round to learn how fast the workload writes", () => {
    expect(go({ round: 1, bytes: GIB, seconds: 1, previous: null })).to.equal("round");
  });

  it("goes on while rounds shrink and the rest is more than the budget", () => {
    expect(go({})).to.equal("round");
  });

  it("freezes when what will have been written crosses within the budget", () => {
    // 100 MiB in 1 s, so 20 MiB in 0.2 s, which take 0.0195 s.
    expect(go({ blackoutBudgetSeconds: 0.019 })).to.equal("round");
    expect(go({ blackoutBudgetSeconds: 0.02 })).to.equal("freeze");
  });

  it("freezes after a small round, be it the first", () => {
    expect(go({ round: 1, bytes: SMALL_BYTES, previous: null })).to.equal("freeze");
    expect(go({ round: 1, bytes: SMALL_BYTES + 1, previous: null })).to.equal("round");
  });

  it("freezes when a round was hardly smaller than the one before", () => {
    expect(go({ bytes: SHRINK_LEAST * GIB })).to.equal("round");
    expect(go({ bytes: SHRINK_LEAST * GIB + 1 })).to.equal("freeze");
  });

  it("freezes after the last round that is allowed", () => {
    expect(go({ round: ROUNDS_MOST - 1 })).to.equal("round");
    expect(why({ round: ROUNDS_MOST })).to.contain(String(ROUNDS_MOST));
  });

  it("freezes when the destination has no room for another round, and says so", () => {
    expect(go({ roomBytes: 20 * MIB })).to.equal("round");
    expect(why({ roomBytes: 20 * MIB - 1 })).to.contain("no room");
    expect(why({ round: 1, bytes: GIB, seconds: 1, previous: null, roomBytes: UNKNOWN_SHARE * GIB - 1 })).to.contain("no room");
  });

  it("leaves a tenth of a second's worth to the freeze of 4 GiB of which a tenth is rewritten a second", () => {
    const { rounds, leftBytes } = carryOut(4 * GIB, 0.4 * GIB, GIB);
    expect(rounds.length).to.be.within(2, 5);
    expect(leftBytes).to.be.at.most(0.1 * GIB);
  });

  it("gives up soon on a workload that writes faster than the link carries", () => {
    expect(carryOut(GIB, 2 * GIB, GIB).rounds).to.have.lengthOf(2);
  });

  it("ends with any workload and link, within the room it was given", () => {
    for (const memory of [8 * MIB, 64 * MIB, GIB, 16 * GIB]) {
      for (const dirty of [0, MIB, 100 * MIB, GIB, 10 * GIB]) {
        for (const link of [MIB, 100 * MIB, GIB, 10 * GIB]) {
          const { rounds, roomBytes } = carryOut(memory, dirty, link);
          expect(rounds.length).to.be.at.most(ROUNDS_MOST);
          expect(roomBytes, `${memory} ${dirty} ${link}`).to.be.at.least(0);
        }
      }
    }
  });

  it("makes one round more when much was written while the destination made ready", () => {
    // 100 MiB/s, so 50 MiB in half a second and 3 MiB in 30 ms.
    expect(isWorthClosing(SECOND, 0.5)).to.equal(true);
    expect(isWorthClosing(SECOND, 0.03)).to.equal(false);
    expect(isWorthClosing({ ...SECOND, roomBytes: 49 * MIB }, 0.5)).to.equal(false);
    expect(isWorthClosing({ ...SECOND, round: ROUNDS_MOST }, 0.5)).to.equal(false);
  });
});
