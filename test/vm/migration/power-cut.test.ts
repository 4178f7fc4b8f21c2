import { expect } from "chai";
import { whyNoGuests } from "../../../lab/vm/guest.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { listenForStage } from "../../e2e/support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../../e2e/support/moving-fleet.js";
import { recordTicks, TICKER, type Ticks, woundBack } from "../../e2e/support/ticking-workload.js";
import { settledOn } from "../../e2e/support/traces.js";

const obstacle = whyNoGuests();
const NAME = TICKER.name;

describe(`A virtual node that loses power in a move${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(1_200_000);
  let moving: MovingFleet;
  let ticks: Ticks;
  let here = FIRST;
  const other = () => (here === FIRST ? SECOND : FIRST);

  before(async function () {
    if (obstacle !== null) return this.skip();
    moving = await startMovingFleet("vm-power", [TICKER], {
      kind: "vm",
      before: async (fleet) => {
        ticks = await recordTicks(fleet.lab);
      },
    });
    await ticks.goOn();
  });

  after(async () => {
    expect((await moving?.close()) ?? []).to.deep.equal([]);
  });

  /** Begins a move, cuts the power of one end as soon as the record says so, and switches it on again. */
  async function cutAt(stage: string, end: "source" | "destination"): Promise<MigrationRecord> {
    const node = moving.fleet.lab.node(end === "source" ? here : other());
    const moment = await listenForStage(moving.fleet, stage);
    try {
      const id = await moving.begin(NAME, here, other());
      await moment.reached;
      await node.stop();
      await node.start();
      await node.waitForDocker();
      await moving.startPart(node.name, "collector");
      await moving.startExecutor(node.name);
      return await moving.closed(id);
    } finally {
      moment.close();
    }
  }

  /** The memory of a workload that started anew begins to count at 1. */
  const startsAgain = async (before: number) => (await ticks.read()).slice(before).includes(1);

  it("takes nothing from the workload when it is the destination and has not committed", async () => {
    const record = await cutAt("transfer", "destination");
    expect(record).to.include({ outcome: "aborted", result: "failed" });
    await settledOn(moving.fleet, NAME, here);
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
    expect(await moving.answersOn(NAME)).to.include({ wrongAnswers: 0, resets: 0, connectionKept: true });
  });

  it("leaves exactly one copy when it is the destination and has committed, the frozen one if it can still be had", async () => {
    const before = (await ticks.read()).length;
    const record = await cutAt("committed", "destination");
    const owner = record.outcome === "aborted" ? here : other();
    await settledOn(moving.fleet, NAME, owner);
    await ticks.goOn();
    // A source that knew of the commit has destroyed its copy, and the node that lost power took the workload's memory with it.
    expect(await startsAgain(before)).to.equal(record.outcome === "committed");
    here = owner;
  });

  it("takes the workload's memory with it when it is the source and the workload is frozen there, and one copy runs when it is back", async () => {
    const before = (await ticks.read()).length;
    const record = await cutAt("freeze", "source");
    const owner = record.outcome === "committed" ? other() : here;
    await settledOn(moving.fleet, NAME, owner);
    await ticks.goOn();
    expect(await startsAgain(before)).to.equal(record.outcome !== "committed");
    if (record.outcome !== "committed") expect(record.result).to.equal("failed");
  });
});
