import { expect } from "chai";
import { LiveProgress } from "../../../executor/migration/live-progress.js";
import type { StageProgress } from "../../../platform/migration-record.js";

const MEBIBYTE = 1 << 20;

describe("A migration's live progress", () => {
  let clock: number;
  let bytes: Record<string, number>;
  let told: StageProgress[];
  let live: LiveProgress;

  beforeEach(() => {
    clock = 100;
    bytes = {};
    told = [];
    live = new LiveProgress(
      bytes,
      (stage, progress) => {
        expect(stage).to.equal("transfer");
        told.push(progress);
      },
      () => clock,
    );
  });
  afterEach(() => live.close());

  const send = (kind: string, amount: number, seconds: number) => {
    bytes[kind] = (bytes[kind] ?? 0) + amount;
    clock += seconds;
    live.look();
    return told.at(-1)!;
  };

  it("tells what of the whole has been sent, how fast, and how long the rest will take", () => {
    live.expect({ stage: "transfer", kind: "memory", totalBytes: 10 * MEBIBYTE });
    send("memory", 2 * MEBIBYTE, 1);
    expect(send("memory", 2 * MEBIBYTE, 1)).to.deep.equal({
      doneBytes: 4 * MEBIBYTE,
      totalBytes: 10 * MEBIBYTE,
      bytesPerSecond: 2 * MEBIBYTE,
      etaSeconds: 3,
    });
  });

  it("follows a link that becomes slower", () => {
    live.expect({ stage: "transfer", kind: "memory", totalBytes: 1000 * MEBIBYTE });
    for (let second = 0; second < 10; second++) send("memory", 50 * MEBIBYTE, 1);
    for (let second = 0; second < 5; second++) send("memory", 5 * MEBIBYTE, 1);
    expect(told.at(-1)!.bytesPerSecond).to.equal(5 * MEBIBYTE);
  });

  it("promises no end where the whole, or the rate, is not known", () => {
    live.expect({ stage: "transfer", kind: "files", round: 2 });
    expect(send("files", MEBIBYTE, 1)).to.deep.equal({ doneBytes: MEBIBYTE, bytesPerSecond: MEBIBYTE, round: 2 });
    live.expect({ stage: "transfer", kind: "memory", totalBytes: MEBIBYTE });
    expect(told.at(-1)).to.deep.equal({ doneBytes: 0, totalBytes: MEBIBYTE });
    clock += 1;
    live.look();
    expect(told.at(-1)).to.not.have.property("etaSeconds");
  });

  it("counts from where it began, and only what it is about", () => {
    bytes["files"] = 7 * MEBIBYTE;
    live.expect({ stage: "transfer", kind: "files" });
    bytes["memory"] = MEBIBYTE;
    expect(send("files", 10, 1).doneBytes).to.equal(10);
  });

  it("learns how much it is while it is being sent", () => {
    live.expect({ stage: "transfer", kind: "memory" });
    send("memory", MEBIBYTE, 1);
    live.expectTotal(4 * MEBIBYTE);
    expect(send("memory", MEBIBYTE, 1)).to.include({ doneBytes: 2 * MEBIBYTE, totalBytes: 4 * MEBIBYTE, etaSeconds: 2 });
  });

  it("never says that more than the whole has been sent", () => {
    live.expect({ stage: "transfer", kind: "memory", totalBytes: 10 });
    expect(send("memory", 12, 1)).to.include({ doneBytes: 12, totalBytes: 12, etaSeconds: 0 });
  });

  it("says nothing twice, and nothing once there is nothing to send", () => {
    live.expect({ stage: "transfer", kind: "memory", note: "sending" });
    live.look();
    expect(told).to.have.length(1);
    live.expect(null);
    bytes["memory"] = 5;
    live.look();
    expect(told).to.have.length(1);
  });
});
