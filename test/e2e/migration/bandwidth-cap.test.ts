import { expect } from "chai";
import type { LabContainer } from "../../../lab/workloads/workload-table.js";
import type { MigrationRecord, Stage } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { configureExecutor } from "../support/configure-executor.js";
import { expectKept } from "../support/expect-kept.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { recordTicks, TICKER, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const MIB = 1 << 20;
/** A few percent of what the link and two busy cores can do. */
const CAP_BYTES_PER_SECOND = 4 * MIB;

/** Holds memory that it does not touch, and writes a line now and then. */
const HOLDER: LabContainer = {
  ...TICKER,
  name: "holder",
  address: "10.77.0.155",
  macAddress: "02:45:4b:00:00:9b",
  volumes: [],
  command: [
    "python3",
    "-S",
    "-B",
    "-c",
    [
      "import os, time",
      "held = os.urandom(48 << 20)",
      "out = os.open('/srv/lines', os.O_WRONLY | os.O_CREAT | os.O_APPEND)",
      "while True: os.write(out, b'line\\n'); time.sleep(0.1)",
    ].join("\n"),
  ],
};

/** Bytes a second of a kind that crossed between two stages. */
function rateOf({ bytes, timeline }: MigrationRecord, kind: string, between: readonly [Stage, Stage]): number {
  const [begin, end] = between.map((wanted) => timeline.find(({ stage }) => stage === wanted)!.at) as [number, number];
  return bytes[kind]! / (end - begin);
}

describe("A bandwidth cap far below what the link can do", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let ticks: Ticks;

  before(async () => {
    moving = await startMovingFleet("e2e-cap", [TICKER, HOLDER], {
      asked: [TICKER],
      before: async (fleet) => {
        ticks = await recordTicks(fleet.lab);
      },
    });
    const capped = { bandwidthBytesPerSecond: CAP_BYTES_PER_SECOND, compression: "never" };
    await configureExecutor(moving, FIRST, { ...capped, capsFreeze: true });
    await configureExecutor(moving, SECOND, { ...capped, capsFreeze: false });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  it("holds for the memory in the freeze where it is asked to, and only there", async () => {
    const held = await moving.moveWell(TICKER.name, FIRST, SECOND, "stopcopy");
    expect(held.bytes["memory"]).to.be.greaterThan(32 * MIB);
    const heldRate = rateOf(held, "memory", ["transfer", "restore"]);
    expect(heldRate).to.be.at.most(CAP_BYTES_PER_SECOND * 1.1);
    const free = await moving.moveWell(TICKER.name, SECOND, FIRST, "stopcopy");
    expect(rateOf(free, "memory", ["transfer", "restore"]) / heldRate).to.be.greaterThan(2);
    await settledOn(moving.fleet, TICKER.name, FIRST);
    expectKept(await moving.answersOn(TICKER.name));
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
  });

  it("holds for the memory that follows by postcopy, while the workload runs on", async () => {
    const { lab } = moving.fleet;
    const moment = await listenForStage(moving.fleet, "resume");
    const id = await moving.begin(HOLDER.name, FIRST, SECOND, "postcopy");
    await moment.reached;
    moment.close();
    const lines = async () => (await lab.node(SECOND).exec(["docker", "exec", HOLDER.name, "cat", "/srv/lines"])).stdout.length;
    const before = await lines();
    await waitFor("it to write on", async () => (await lines()) > before);
    const record = await moving.closed(id);
    expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", modeUsed: "postcopy" });
    expect(record.bytes["pages"]).to.be.greaterThan(32 * MIB);
    // What threads wait for is sent at once.
    expect(rateOf(record, "pages", ["restore", "cleanup"])).to.be.at.most(CAP_BYTES_PER_SECOND * 1.5);
    await settledOn(moving.fleet, HOLDER.name, SECOND);
  });
});
