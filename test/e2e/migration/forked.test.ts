import { expect } from "chai";
import { FORKED, FORKED_LATE, readFamily } from "../support/forked-family.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

describe("Processes that share what memory they had when they were forked", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let here = FIRST;

  before(async () => {
    moving = await startMovingFleet("e2e-forked", [FORKED, FORKED_LATE], { asked: [] });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  it("are not moved by postcopy when they were forked after it had begun, and go on where they were", async () => {
    // The first move, which has to bring the image: there is time enough before the freeze.
    const moment = await listenForStage(moving.fleet, "prepare");
    const id = await moving.begin(FORKED_LATE.name, FIRST, SECOND, "postcopy");
    await moment.reached;
    moment.close();
    await moving.fleet.lab.node(FIRST).docker.getContainer(FORKED_LATE.name).kill({ signal: "SIGUSR1" });
    const record = await moving.closed(id);
    expect(record, record.errorMessage ?? "").to.include({ result: "failed", errorCode: "CHECKPOINT_FAILED", outcome: "aborted" });
    expect(record.errorMessage).to.match(/its processes share memory since they were forked, of which it would need \d{3} MiB more/);
    await settledOn(moving.fleet, FORKED_LATE.name, FIRST);
    expect(await readFamily(moving.fleet.lab.node(FIRST), FORKED_LATE)).to.include({ wrong: 0, restarts: 0 });
  });

  it("share it after a move, within the limit of their container", async () => {
    for (const there of [SECOND, FIRST]) {
      const before = await readFamily(moving.fleet.lab.node(here), FORKED);
      await moving.moveWell(FORKED.name, here, there, "stopcopy");
      here = there;
      await settledOn(moving.fleet, FORKED.name, here);
      const after = await readFamily(moving.fleet.lab.node(here), FORKED);
      expect(after).to.include({ pids: before.pids, wrong: 0, restarts: 0 });
      expect(after.checks).to.be.greaterThan(before.checks);
      expect(after.residentBytes).to.be.within(before.residentBytes * 0.8, before.residentBytes * 1.2);
    }
  });

  it("are not moved by postcopy, which would bring it to each of them for itself, and their owner is told so", async () => {
    const record = await moving.move(FORKED.name, here, SECOND, "postcopy");
    expect(record, record.errorMessage ?? "").to.include({ result: "failed", errorCode: "PREFLIGHT_BLOCKED", outcome: "aborted" });
    expect(record.errorMessage).to.match(
      /memory-stays: .*its processes share memory since they were forked, of which it would need \d{3} MiB more/,
    );
    await settledOn(moving.fleet, FORKED.name, here);
  });

  it("are moved in another mode where postcopy was only one that would do", async () => {
    const record = await moving.moveWell(FORKED.name, here, SECOND, "auto+postcopy");
    expect(record.modeUsed).to.equal("stopcopy");
    expect(record.forecast?.others.find(({ mode }) => mode === "postcopy")?.whyNot).to.include("share memory since they were forked");
    expect(await readFamily(moving.fleet.lab.node(SECOND), FORKED)).to.include({ wrong: 0, restarts: 0 });
  });
});
