import { expect } from "chai";
import { PAGE_BYTES } from "../../../executor/pages/pagemap-image.js";
import type { LabNode } from "../../../lab/docker-host.js";
import { whyNoGuests } from "../../../lab/vm/guest.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { expectForetold } from "../../e2e/support/expect-foretold.js";
import { expectKept } from "../../e2e/support/expect-kept.js";
import { readFamily, SMALL_FORKED } from "../../e2e/support/forked-family.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../../e2e/support/moving-fleet.js";
import { askOnce, SMALL_SHARERS, startSharers } from "../../e2e/support/shared-memory.js";
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

/** As long as a move may take there: then its restore's log cannot come any more. */
const WATCH_SECONDS = 1200;

/** How many pages the next restore there leaves to CRIU's daemon, by its own log. That is gone once they are in, so it is opened as soon as it is there, and read whatever becomes of it. */
async function watchLazyPages(node: LabNode): Promise<number> {
  const log = "log=$(find /run/evenkeel -name restore.log 2>/dev/null | grep .) && exec 3<$log";
  const look = "grep -o 'nr_lazy: *[0-9]*' /proc/self/fd/3 | grep -o '[0-9]*$'";
  const { stdout } = await node.exec([
    "timeout",
    String(WATCH_SECONDS),
    "sh",
    "-c",
    `until ${log}; do sleep 0.1; done; until ${look}; do sleep 0.1; done`,
  ]);
  return Number(stdout);
}

describe(`A move by pre-copy, between virtual nodes${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(1_800_000);
  let moving: MovingFleet;

  before(async function () {
    if (obstacle !== null) return this.skip();
    moving = await startMovingFleet("vm-precopy", [WRITER, SMALL_FORKED], {
      kind: "vm",
      asked: [WRITER, OWNER, SIDE_CAR],
      beside: async (fleet) => {
        await startSideCars(fleet, [SIDE_CAR]);
        await startSharers(fleet, SMALL_SHARERS[0], [SMALL_SHARERS[1]]);
      },
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
      const [lazyPages, record] = await Promise.all([
        watchLazyPages(moving.fleet.lab.node(to)),
        moving.moveWell(WRITER.name, from, to, "precopy"),
      ]);
      // By itself CRIU reads every page of an earlier round before the resume.
      expect(lazyPages * PAGE_BYTES).to.be.at.least(MEGABYTES << 20);
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
      if (isSlower && others.length > 1) expect(Math.min(...bytes)).to.be.lessThan(first!.bytes / 2);
      expect(record.bytes["memory"]).to.be.lessThan(first!.bytes);
      expect(await moving.answersOn(WRITER.name)).to.include({ wrongAnswers: 0, resets: 0, connectionKept: true });
      await settledOn(moving.fleet, WRITER.name, to);
    });
  }

  it("that is left to choose takes pre-copy, but not for a workload of which is known that it writes faster than anything is sent", async () => {
    const learned = (dirtyBytesPerSecond: number) => ({ dirtyBytesPerSecond, frozenFileBytes: null, stopSeconds: null });
    const fast = await moving.moveWell(WRITER.name, FIRST, SECOND, "auto", learned(1e12));
    expectForetold(fast, ["precopy", "stopcopy"]);
    expect(fast.modeUsed).to.equal("stopcopy");
    const slow = await moving.moveWell(WRITER.name, SECOND, FIRST, "auto", learned((MEGABYTES << 20) / 10));
    expectForetold(slow, ["precopy", "stopcopy"]);
    expect(slow.modeUsed).to.equal("precopy");
    expectKept(await moving.answersOn(WRITER.name));
  });

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

  it("keeps what containers share in an IPC namespace", async () => {
    const [, clerk] = SMALL_SHARERS;
    const { lab } = moving.fleet;
    // Nobody asks them all the time: emulated cores have enough to do. Sequence and counts of a first request, of all that share; pid, and which of them it was.
    const first = "1 1 1 1 1 1 1";
    expect(await askOnce(lab.node(FIRST), clerk)).to.equal(first);
    const ids = await moving.beginTogether(
      SMALL_SHARERS.map(({ name }) => name),
      FIRST,
      SECOND,
      "precopy",
    );
    for (const record of await Promise.all(ids.map((id) => moving.closed(id)))) {
      expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", modeUsed: "precopy" });
      expect(record.rounds.length).to.be.greaterThan(0);
    }
    for (const { name } of SMALL_SHARERS) await settledOn(moving.fleet, name, SECOND);
    expect(await askOnce(lab.node(SECOND), clerk)).to.equal(first);
  });

  it("has processes share again what memory they had when they were forked, within the limit of their container", async () => {
    const { lab } = moving.fleet;
    const before = await readFamily(lab.node(FIRST), SMALL_FORKED);
    const record = await moving.moveWell(SMALL_FORKED.name, FIRST, SECOND, "precopy");
    expect(record, record.modeBecause ?? "").to.include({ modeUsed: "precopy" });
    await settledOn(moving.fleet, SMALL_FORKED.name, SECOND);
    const after = await readFamily(lab.node(SECOND), SMALL_FORKED);
    expect(after).to.include({ pids: before.pids, wrong: 0, restarts: 0 });
    expect(after.residentBytes).to.be.within(before.residentBytes * 0.8, before.residentBytes * 1.2);
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

  it("does not leave a workload waiting for memory, nor with zeros for it, when whoever feeds it is killed: it ends, and is started anew", async () => {
    const { lab } = moving.fleet;
    const here = (await moving.fleet.whereIs(WRITER.name))!;
    const there = here === FIRST ? SECOND : FIRST;
    // Held still before the resume, so that it cannot have finished when it is killed. The guard's own command line begins with a shell.
    const feeder = (signal: string) => `pkill -${signal} -f '^[^ ]*node .*image-feeder'`;
    const killing = lab
      .node(there)
      .exec([
        "sh",
        "-c",
        `until grep -q nr_lazy /run/evenkeel/in/*/work/restore.log 2>/dev/null; do sleep 0.05; done; ${feeder("STOP")}; until [ -n "$(find /run/evenkeel -name resumed)" ]; do sleep 0.1; done; ${feeder("KILL")}`,
      ]);
    const record = await moving.move(WRITER.name, here, there, "precopy");
    await killing;
    expect(record, record.errorMessage ?? "").to.include({ modeUsed: "precopy", outcome: "committed" });
    await settledOn(moving.fleet, WRITER.name, there);
    expect((await moving.answersOn(WRITER.name)).connectionKept).to.equal(false);
  });
});
