import { expect } from "chai";
import type { MigrationRecord, TimelineEntry } from "../../../platform/migration-record.js";
import { blackoutLine, timelineBars } from "../../../scheduler/cli/timeline-bars.js";
import { howFar } from "../../../scheduler/cli/words.js";
import { blackoutSpan, explainBlackout, readTimeline } from "../../../scheduler/timeline.js";

const BEGUN = 1000;
const timeline: TimelineEntry[] = [
  { stage: "queued", at: BEGUN },
  { stage: "prepare", at: BEGUN + 1 },
  { stage: "freeze", at: BEGUN + 4, bytes: { files: 2 << 20 } },
  { stage: "transfer", at: BEGUN + 5, bytes: { files: 2 << 20 } },
  { stage: "restore", at: BEGUN + 6, bytes: { files: 3 << 20, memory: 8 << 20 } },
  { stage: "resume", at: BEGUN + 7, bytes: { files: 3 << 20, memory: 8 << 20 } },
];

const record = (change: Partial<MigrationRecord> = {}): MigrationRecord => ({
  id: "m1",
  workload: "web",
  name: "web",
  containerId: "c".repeat(64),
  from: "n1",
  to: "n2",
  reason: "operator",
  because: "",
  mode: "auto",
  modeUsed: "stopcopy",
  members: [],
  modeBecause: null,
  rounds: [],
  forecast: null,
  epoch: 1,
  stage: "resume",
  outcome: "committed",
  createdAt: BEGUN,
  updatedAt: BEGUN + 7,
  closedAt: BEGUN + 8,
  result: "succeeded",
  errorCode: null,
  errorMessage: null,
  blackoutSeconds: 2.5,
  predictedBlackoutSeconds: null,
  restoreSteps: {},
  bytes: { files: 3 << 20, memory: 8 << 20 },
  blockers: [],
  timeline,
  progress: null,
  ...change,
});

describe("A migration's timeline", () => {
  it("gives each stage its time and what was sent in it", () => {
    const parts = readTimeline(record(), BEGUN + 100);
    expect(parts.map(({ stage, start, seconds }) => [stage, start, seconds])).to.deep.equal([
      ["queued", 0, 1],
      ["prepare", 1, 3],
      ["freeze", 4, 1],
      ["transfer", 5, 1],
      ["restore", 6, 1],
      ["resume", 7, 1],
    ]);
    const sent = Object.fromEntries(parts.map(({ stage, bytes }) => [stage, bytes]));
    expect(sent).to.deep.include({ prepare: { files: 2 << 20 }, freeze: {}, transfer: { files: 1 << 20, memory: 8 << 20 }, resume: {} });
  });

  it("lets the stage that is under way last until now, and counts what it has sent", () => {
    const open = record({ timeline: timeline.slice(0, 2), closedAt: null, blackoutSeconds: null, bytes: { image: 5 } });
    expect(readTimeline(open, BEGUN + 9).at(-1)).to.deep.include({ stage: "prepare", seconds: 8, bytes: { image: 5 } });
  });

  it("has a blackout of the measured length that ends with the resume", () => {
    expect(blackoutSpan(record(), BEGUN + 100)).to.deep.equal({ start: 4.5, end: 7 });
  });

  it("has a blackout that lasts as long as nobody has said that the workload runs again", () => {
    const frozen = record({ timeline: timeline.slice(0, 3), closedAt: null, blackoutSeconds: null });
    expect(blackoutSpan(frozen, BEGUN + 9)).to.deep.equal({ start: 4, end: 9 });
    expect(blackoutSpan(record({ timeline: timeline.slice(0, 2), blackoutSeconds: null }), BEGUN + 9)).to.equal(null);
  });

  it("tells what the blackout's time went into, as far as the destination told", () => {
    const restoreSteps = { images: 0.1, namespace: 0.25, exit: 0.9, start: 0.4 };
    const parts = explainBlackout(record({ restoreSteps })).map(({ name, seconds }) => [name, Math.round(seconds * 1000)]);
    expect(parts).to.deep.equal([
      ["freeze, save", 500],
      ["send", 1000],
      ["images in place", 100],
      ["namespaces", 150],
      ["network", 150],
    ]);
    expect(blackoutLine(record({ blackoutSeconds: null }))).to.equal("");
  });

  it("is drawn on one scale, the blackout under the stages it lasted for", () => {
    const lines = timelineBars(record({ predictedBlackoutSeconds: 2 }), BEGUN + 100, 16);
    expect(lines.map(({ name, bar }) => `${name.padEnd(9)}${bar}`)).to.deep.equal([
      "queued   ░░",
      "prepare    ▒▒▒▒▒▒",
      "freeze           ██",
      "transfer           ██",
      "restore              ██",
      "resume                 ▓▓",
      "blackout          └───┘",
    ]);
    expect(lines.find(({ name }) => name === "transfer")!.remark).to.equal("1.0 MiB files, 8.0 MiB memory");
    expect(lines.at(-1)).to.include({ took: "2.50 s", remark: "stands still, expected 2 s" });
  });

  it("stays within its width, however short or many the stages are", () => {
    for (const width of [1, 2, 5, 40]) {
      for (const { bar } of timelineBars(record(), BEGUN + 100, width)) expect(bar.length).to.be.within(1, width);
    }
    const lone = record({ timeline: timeline.slice(0, 1), closedAt: BEGUN, updatedAt: BEGUN, blackoutSeconds: null });
    expect(timelineBars(lone, BEGUN, 10).map(({ bar }) => bar)).to.deep.equal(["░"]);
  });

  it("says how far a stage is, and leaves out what is not known", () => {
    const progress = {
      doneBytes: 1 << 20,
      totalBytes: 4 << 20,
      bytesPerSecond: 1 << 20,
      dirtyBytesPerSecond: 2048,
      etaSeconds: 3,
      round: 2,
    };
    expect(howFar(record({ progress })).join(", ")).to.equal("round 2, 1.0 MiB of 4.0 MiB, 1.0 MiB/s, 2.0 KiB/s changing, 3 s left");
    expect(howFar(record({ progress: { doneBytes: 10, note: "files" } }))).to.deep.equal(["files", "10 B"]);
    expect(howFar(record())).to.deep.equal([]);
  });
});
