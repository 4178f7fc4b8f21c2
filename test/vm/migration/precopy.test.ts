import { expect } from "chai";
import { whyNoGuests } from "../../../lab/vm/guest.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { expectKept } from "../../e2e/support/expect-kept.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../../e2e/support/moving-fleet.js";
import { OWNER, SIDE_CAR, startSideCars } from "../../e2e/support/side-car.js";
import { settledOn } from "../../e2e/support/traces.js";

const obstacle = whyNoGuests();
const MEGABYTES = 16;

/** Rewrites a tenth of its memory a second, page by page; its client checks what it holds. */
const WRITER: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "rewriter")!,
  name: "writer",
  command: [
    "python3",
    "-S",
    "-B",
    "/srv/rewriter.py",
    "--port",
    "7000",
    "--megabytes",
    String(MEGABYTES),
    "--rate",
    String(MEGABYTES / 10),
  ],
};

describe(`A move by pre-copy, between virtual nodes${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(900_000);
  let moving: MovingFleet;

  before(async function () {
    if (obstacle !== null) return this.skip();
    moving = await startMovingFleet("vm-precopy", [WRITER], {
      kind: "vm",
      asked: [WRITER, OWNER, SIDE_CAR],
      beside: (fleet) => startSideCars(fleet, [SIDE_CAR]),
    });
  });

  after(async () => {
    expect((await moving?.close()) ?? []).to.deep.equal([]);
  });

  for (const [from, to, way] of [
    [FIRST, SECOND, "there"],
    [SECOND, FIRST, "and back"],
  ] as const) {
    it(`keeps the connection and every page of a workload that rewrites its memory, ${way}`, async () => {
      const record = await moving.moveWell(WRITER.name, from, to, "precopy");
      expect(record.modeUsed).to.equal("precopy");
      expect(record.timeline.map(({ stage }) => stage)).to.include("precopy");
      const [first, ...others] = record.rounds;
      expect(first?.bytes).to.be.greaterThan(MEGABYTES << 20);
      expect(others.length).to.be.greaterThan(0);
      for (const round of record.rounds.slice(0, -1)) expect(round.dirtyBytesPerSecond).to.be.greaterThan(0);
      // No clock is judged: where the machine is so busy that the channel carries less than the workload writes, rounds cannot shrink; and the last may hold what was
      // written while the destination made ready, however long that took.
      const isSlower = first!.dirtyBytesPerSecond! < first!.bytes / first!.seconds / 2;
      const bytes = others.map((round) => round.bytes);
      if (isSlower && others.length > 1) expect(Math.min(...bytes)).to.be.lessThan(first!.bytes / 3);
      expect(record.bytes["memory"]).to.be.lessThan(first!.bytes);
      expect(await moving.answersOn(WRITER.name)).to.include({ wrongAnswers: 0, resets: 0, connectionKept: true });
      await settledOn(moving.fleet, WRITER.name, to);
    });
  }

  it("keeps the connections of containers that share a network, and the one between them", async () => {
    const names = [OWNER.name, SIDE_CAR.name];
    const ids = await moving.beginTogether(names, FIRST, SECOND, "precopy");
    for (const record of await Promise.all(ids.map((id) => moving.closed(id)))) {
      expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", modeUsed: "precopy" });
      expect(record.rounds.length).to.be.greaterThan(0);
    }
    for (const name of names) {
      await settledOn(moving.fleet, name, SECOND);
      expectKept(await moving.answersOn(name));
    }
  });

  it("that cannot go on leaves the workload running and nothing behind, on either end", async () => {
    const { lab } = moving.fleet;
    // The images of the first round meet a folder in which nothing can be made.
    await lab.node(SECOND).exec(["sh", "-c", "mkdir -p /run/evenkeel/in && mount -t tmpfs -o size=16m small /run/evenkeel/in"]);
    try {
      const record = await moving.move(WRITER.name, FIRST, SECOND, "precopy");
      expect(record.result).to.equal("failed");
      expect(record.timeline.at(-1)?.stage).to.equal("precopy");
      await settledOn(moving.fleet, WRITER.name, FIRST);
      expect(await moving.answersOn(WRITER.name)).to.include({ wrongAnswers: 0, resets: 0, connectionKept: true });
    } finally {
      await lab.node(SECOND).exec(["umount", "/run/evenkeel/in"]);
    }
  });
});
