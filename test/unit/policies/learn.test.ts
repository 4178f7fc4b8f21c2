import { expect } from "chai";
import { completeConfig } from "../../../policies/config.js";
import { learnCosts, type PastMove } from "../../../policies/cost/learn.js";
import { estimateMoveCost } from "../../../policies/cost/move-cost.js";
import { indexFleet } from "../../../policies/fleet.js";
import { config, constraints, node, snapshot, workload } from "./small-fleet.js";

const MEBIBYTE = 2 ** 20;
const moved = (over: Partial<PastMove> = {}): PastMove => ({
  workload: "a",
  from: "n1",
  to: "n2",
  bytes: 200 * MEBIBYTE,
  fileBytes: 100 * MEBIBYTE,
  memoryBytes: 100 * MEBIBYTE,
  seconds: 4,
  mode: "stopcopy",
  blackoutSeconds: 0.4,
  dirtyBytesPerSecond: null,
  frozenFileBytes: null,
  stopSeconds: null,
  ...over,
});

describe("what past moves teach", () => {
  it("is what each link gave, the median of its latest moves, and nothing from moves that carried little or were not timed", () => {
    const { linkOf } = learnCosts([
      moved(),
      moved({ seconds: 2 }),
      moved({ seconds: 400 }),
      moved({ from: "n3", bytes: MEBIBYTE }),
      moved({ from: "n4", seconds: null }),
    ]);
    expect(linkOf.get("n1")).to.equal(50 * MEBIBYTE);
    expect(linkOf.get("n3")).to.equal(undefined);
    expect(linkOf.get("n4")).to.equal(undefined);
  });

  it("is of each workload how long it stood still and what it took, the latest ten", () => {
    const old = Array.from({ length: 20 }, () => moved({ blackoutSeconds: 9 }));
    const { pastOf } = learnCosts([...Array.from({ length: 10 }, () => moved()), ...old]);
    expect(pastOf.get("a")).to.deep.equal({
      count: 10,
      fileBytes: 100 * MEBIBYTE,
      memoryBytes: 100 * MEBIBYTE,
      blackoutSecondsIn: { stopcopy: 0.4 },
      dirtyBytesPerSecond: null,
      frozenFileBytes: null,
      stopSeconds: null,
    });
  });

  it("is kept apart by mode: that it was stopped for twelve seconds says nothing of a freeze, and of memory a cold move says nothing at all", () => {
    const cold = moved({ mode: "cold", memoryBytes: 0, blackoutSeconds: 12, frozenFileBytes: 5 * MEBIBYTE, stopSeconds: 10 });
    const past = learnCosts([cold, cold, cold, moved(), moved({ mode: null, blackoutSeconds: 99 })]).pastOf.get("a")!;
    expect(past.blackoutSecondsIn).to.deep.equal({ cold: 12, stopcopy: 0.4 });
    expect(past).to.include({ memoryBytes: 100 * MEBIBYTE, frozenFileBytes: 5 * MEBIBYTE, stopSeconds: 10 });
    expect(costOf(100, past)).to.include({ mode: "stopcopy", blackoutSeconds: 0.4 });
  });

  it("is how fast it writes its memory, the median of the moves whose rounds told; moves by other modes say nothing about it", () => {
    const rates = [null, 2, 40, 3, null].map((rate) => moved({ dirtyBytesPerSecond: rate === null ? null : rate * MEBIBYTE }));
    expect(learnCosts(rates).pastOf.get("a")!.dirtyBytesPerSecond).to.equal(3 * MEBIBYTE);
  });

  const costOf = (memoryMebibytes: number, past = learnCosts([moved()]).pastOf.get("a")!) => {
    const subject = workload("a", "n1", 1, { memoryUsedBytes: memoryMebibytes * MEBIBYTE, past });
    const { nodeById } = indexFleet(snapshot([node("n1", 0.5, 0.3, { linkBytesPerSecond: 50 * MEBIBYTE }), node("n2", 0.1)], [subject]));
    const need = { cpuCores: 1, memoryBytes: memoryMebibytes * MEBIBYTE };
    return estimateMoveCost(subject, need, nodeById.get("n1")!, nodeById.get("n2")!, completeConfig(config()).cost);
  };

  it("tells the cost of the next move: bytes, seconds and blackout as they were, more of them for what has grown since", () => {
    const same = costOf(100);
    expect(same.bytes).to.equal(200 * MEBIBYTE);
    expect(same.blackoutSeconds).to.equal(0.4);
    expect(same.seconds).to.equal(0.5 + 4);
    expect(costOf(200).blackoutSeconds).to.equal(0.8);
    expect(costOf(200).bytes).to.equal(300 * MEBIBYTE);
    expect(costOf(50).blackoutSeconds, "what has shrunk is not believed to stay small").to.equal(0.4);
  });

  it("foretells pre-copy once the dirty rate has been learned, even of a workload that has grown out of its other lessons", () => {
    const { pastOf } = learnCosts([moved({ dirtyBytesPerSecond: 5 * MEBIBYTE })]);
    const unknown = costOf(1000);
    expect([unknown.mode, unknown.blackoutSeconds, unknown.dirtyBytesPerSecond]).to.deep.equal(["stopcopy", 20.5, null]);
    const learned = costOf(1000, pastOf.get("a")!);
    expect([learned.mode, learned.dirtyBytesPerSecond, learned.learnedFromMoves]).to.deep.equal(["precopy", 5 * MEBIBYTE, 0]);
    // 1000 MiB in 20 s, 100 MiB written meanwhile in 2 s, and the 10 MiB of those in the freeze.
    expect(learned.blackoutSeconds).to.be.closeTo(0.5 + 0.2, 1e-9);
    expect(costOf(100, pastOf.get("a")!).learnedFromMoves).to.equal(1);
  });

  it("of a node that cannot copy ahead is believed at once: what was learned by pre-copy elsewhere says nothing of the blackout there", () => {
    const lessons = learnCosts([
      moved({ from: "n1", whyNoPrecopy: "the kernel does not track written pages" }),
      moved({ from: "n1", whyNoPrecopy: null }),
      moved({ from: "n2", whyNoPrecopy: null }),
      moved({ from: "n3" }),
    ]);
    expect([...lessons.noPrecopyFrom]).to.deep.equal([["n1", "the kernel does not track written pages"]]);
    const { pastOf } = learnCosts([moved({ mode: "precopy", dirtyBytesPerSecond: 5 * MEBIBYTE, blackoutSeconds: 0.4 })]);
    const subject = (mode: "auto" | "precopy") =>
      workload("a", "n1", 1, { memoryUsedBytes: 100 * MEBIBYTE, past: pastOf.get("a")!, constraints: constraints({ mode }) });
    const link = { linkBytesPerSecond: 50 * MEBIBYTE };
    const { nodeById } = indexFleet(
      snapshot([node("n1", 0.5, 0.3, { ...link, whyNoPrecopy: "the kernel does not track written pages" }), node("n2", 0.1, 0.3, link)]),
    );
    for (const mode of ["auto", "precopy"] as const) {
      const need = { cpuCores: 1, memoryBytes: 100 * MEBIBYTE };
      const there = estimateMoveCost(subject(mode), need, nodeById.get("n1")!, nodeById.get("n2")!, completeConfig(config()).cost);
      expect([there.mode, there.blackoutSeconds], mode).to.deep.equal(["stopcopy", 0.5 + 2]);
      const back = estimateMoveCost(
        { ...subject(mode), node: "n2" },
        need,
        nodeById.get("n2")!,
        nodeById.get("n1")!,
        completeConfig(config()).cost,
      );
      expect([back.mode, back.blackoutSeconds], mode).to.deep.equal(["precopy", 0.4]);
    }
  });

  it("is not believed of a workload that has become another, nor where nothing was measured", () => {
    const unknown = costOf(1000, { count: 1, fileBytes: 0, memoryBytes: 0 });
    expect(costOf(1000).blackoutSeconds).to.equal(unknown.blackoutSeconds);
    expect(costOf(100, { count: 1, fileBytes: 0, memoryBytes: 100 * MEBIBYTE }).blackoutSeconds).to.equal(0.5 + 2);
  });
});
