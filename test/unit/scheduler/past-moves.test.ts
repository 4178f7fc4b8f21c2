import { expect } from "chai";
import type { MigrationRecord, RoundEntry, Stage } from "../../../platform/migration-record.js";
import { learnFromRecords } from "../../../scheduler/fleet/past-moves.js";

const MEBIBYTE = 2 ** 20;
const stages: readonly [Stage, number][] = [
  ["prepare", 10],
  ["restore", 14],
];
const round = (number: number, seconds: number, mebibytesPerSecond: number | null): RoundEntry => ({
  round: number,
  bytes: MEBIBYTE,
  seconds,
  pausedSeconds: 0.01,
  dirtyBytesPerSecond: mebibytesPerSecond === null ? null : mebibytesPerSecond * MEBIBYTE,
});
const record = (over: Partial<MigrationRecord>) =>
  ({
    workload: "a",
    from: "n1",
    to: "n2",
    result: "succeeded",
    bytes: { files: 20 * MEBIBYTE, precopy: 150 * MEBIBYTE, memory: 10 * MEBIBYTE, image: 20 * MEBIBYTE },
    timeline: stages.map(([stage, at]) => ({ stage, at })),
    modeUsed: "precopy",
    blackoutSeconds: 0.3,
    rounds: [round(1, 3, 4), round(2, 1, 8), round(3, 0.2, null)],
    ...over,
  }) as MigrationRecord;
const past = (...records: MigrationRecord[]) => learnFromRecords(records).pastOf.get("a");

describe("what the records of closed migrations teach", () => {
  it("is a workload's dirty rate: over the rounds of which the next has told, the long ones more", () => {
    expect(past(record({}))?.dirtyBytesPerSecond).to.equal(((3 * 4 + 8) / 4) * MEBIBYTE);
    expect(past(record({ rounds: [] }))?.dirtyBytesPerSecond).to.equal(null);
    expect(past(record({ rounds: [round(1, 3, null)] }))?.dirtyBytesPerSecond, "one round that nothing followed").to.equal(null);
  });

  it("is all that was sent of its memory: ahead of the freeze, in it, and after it", () => {
    expect(past(record({}))?.memoryBytes).to.equal(160 * MEBIBYTE);
    expect(past(record({ bytes: { pages: 90 * MEBIBYTE, memory: MEBIBYTE } }))?.memoryBytes).to.equal(91 * MEBIBYTE);
  });

  it("is how long it stood still in each mode, how much of its files crossed then, and how long it took to end", () => {
    const timeline = (
      [
        ["prepare", 10, 0],
        ["freeze", 20, 90],
        ["transfer", 28, 90],
        ["restore", 29, 96],
      ] as const
    ).map(([stage, at, mebibytes]) => ({ stage, at, bytes: { files: mebibytes * MEBIBYTE, memory: at * MEBIBYTE } }));
    const seen = past(
      record({ modeUsed: "cold", blackoutSeconds: 10, timeline, rounds: [] }),
      record({ modeUsed: "precopy", blackoutSeconds: 0.3 }),
    );
    expect(seen?.blackoutSecondsIn).to.deep.equal({ cold: 10, precopy: 0.3 });
    expect(seen).to.include({ frozenFileBytes: 6 * MEBIBYTE, stopSeconds: 8 });
    expect(past(record({ modeUsed: "stopcopy", timeline })), "a freeze is no stop").to.include({ stopSeconds: null });
  });

  it("is which nodes could not copy memory ahead, as the newest move that left each found", () => {
    const told = (whyNot: string | null) => ({
      forecast: { mode: "stopcopy", blackoutSeconds: 1, because: "", others: [{ mode: "precopy", blackoutSeconds: 0.5, whyNot }] },
    });
    const { noPrecopyFrom } = learnFromRecords([
      record(told("its kernel does not track written pages")),
      record({ from: "n3", ...told(null) }),
      record({ from: "n4", forecast: null }),
    ]);
    expect([...noPrecopyFrom]).to.deep.equal([["n1", "its kernel does not track written pages"]]);
  });

  it("is nothing of a move that failed", () => {
    expect(past(record({ result: "failed" }))).to.equal(undefined);
  });

  it("is what the link gave, images of containers and files included", () => {
    expect(learnFromRecords([record({})]).linkOf.get("n2")).to.equal(50 * MEBIBYTE);
  });

  it("is not slower for a program that took its time to end", () => {
    const timeline = (["prepare", "freeze", "transfer", "restore"] as const).map((stage, index) => ({
      stage,
      at: [10, 12, 22, 24][index]!,
    }));
    expect(learnFromRecords([record({ modeUsed: "cold", timeline })]).linkOf.get("n2")).to.equal(50 * MEBIBYTE);
  });
});
