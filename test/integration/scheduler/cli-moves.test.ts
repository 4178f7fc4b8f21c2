import { expect } from "chai";
import {
  abortMigration,
  advanceMigration,
  claimMigration,
  closeMigration,
  listMigrations,
  type MigrationRecord,
} from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { CommandLineFleet } from "./command-line-fleet.js";

describe("the command line, when something is moved", () => {
  const here = new CommandLineFleet();

  it("migrates a workload and waits for its end, with the blackout", async () => {
    const waiting = here.run(["migrate", "web", "--to", "n2", "--wait"]);
    await here.finish(await here.openMigration());
    const ended = await waiting;
    expect(ended.code).to.equal(0);
    expect(ended.out).to.contain("web runs on n2: blackout 0.25 s, 1.0 MiB");
    expect(ended.err).to.contain("web n1 -> n2: ");
    const [record] = await here.json<MigrationRecord[]>(["migrations"]);
    expect(record).to.include({ name: "web", result: "succeeded" });
    const { out } = await here.run(["migrations", record!.id]);
    expect(out).to.match(/^restore +█+ +\d/m);
    expect(out).to.match(/^queued +░+ +\d/m);
  });

  it("shows how far a migration is while somebody waits for it or watches all, and ends with the last one", async () => {
    const { id, mode } = await here.json<MigrationRecord>(["migrate", "web", "--to", "n2", "--mode", "postcopy"]);
    expect(mode).to.equal("postcopy");
    const [all, one] = [here.follow(["migrations", "--watch"]), here.follow(["migrations", id, "--watch"])];
    const { epoch } = (await claimMigration(here.redis, here.keys, id, Date.now() / 1000))!;
    const progress = {
      doneBytes: 1 << 20,
      totalBytes: 4 << 20,
      bytesPerSecond: 1 << 20,
      dirtyBytesPerSecond: 3 << 10,
      etaSeconds: 3,
      round: 2,
    };
    await advanceMigration(here.redis, here.keys, Date.now() / 1000, { id, epoch, stage: "prepare", fields: { progress } });
    const said = "prepare, round 2, 1.0 MiB of 4.0 MiB, 1.0 MiB/s, 3.0 KiB/s changing, 3 s left";
    await waitFor("both to have told the progress", () => all.err().includes(said) && one.err().includes(said));
    await here.finish((await listMigrations(here.redis, here.keys, 0))[0]!);
    expect(await all.ended).to.include({ code: 0 });
    expect((await all.ended).out).to.match(/web +n1 +n2 +operator +succeeded/);
    expect(await one.ended).to.include({ code: 0 });
    expect((await one.ended).out).to.contain("web runs on n2: blackout 0.25 s");
  });

  it("exits 1 when the migration it waited for failed, and says where the workload is", async () => {
    const waiting = here.run(["migrate", "web", "--to", "n2", "--wait"]);
    const record = await here.openMigration();
    await abortMigration(here.redis, here.keys, record.id, 1, "test");
    await closeMigration(here.redis, here.keys, record, 1, { result: "failed", errorCode: "RESTORE_FAILED", errorMessage: "No luck." });
    const ended = await waiting;
    expect(ended.code).to.equal(1);
    expect(ended.out).to.contain("web: failed. No luck. It runs on n1.");
  });

  it("exits 5 when the time to wait is up, and the migration goes on", async () => {
    const ended = await here.run(["migrate", "web", "--to", "n2", "--wait", "--timeout", "1s"]);
    expect(ended.code).to.equal(5);
    expect((await here.openMigration()).closedAt).to.equal(null);
    expect((await here.run(["cancel", (await here.openMigration()).id])).out).to.contain("web goes on on n1");
  });

  it("drains a node and waits until it is empty, then takes it back", async () => {
    const waiting = here.run(["drain", "n2", "--reason", "new disk", "--wait"]);
    await here.finish(await here.openMigration());
    const ended = await waiting;
    expect(ended).to.include({ code: 0, out: "n2 is drained: nothing runs there.\n" });
    expect(ended.err).to.match(/^n2: [01] of 1 moved/m);
    await waitFor("the nodes' list to say so", async () => /^n2 +drained/m.test((await here.run(["nodes"])).out));
    expect(await here.run(["undrain", "n2"])).to.include({ code: 0, out: "n2 is in service.\n" });
  });

  it("exits 5 when a drain's deadline has passed, with what is left and why", async () => {
    const ended = await here.run(["drain", "n1", "--deadline", "5s", "--wait"]);
    expect(ended.code).to.equal(5);
    expect(ended.out)
      .to.contain("its deadline has passed")
      .and.to.match(/^fixed +blocked +Its label io\.evenkeel\.mode/m);
    expect(ended.out).to.match(/^web +moving/m);
    const late = await waitFor("the audit to say so", async () => /^.*drain-late.*$/m.exec((await here.run(["audit"])).out)?.[0]);
    expect(late).to.contain("the deadline has passed with 2 left").and.to.contain("fixed (workload-never)");
  });

  it("exits 4 when an undrained node is still asked for by a file on it", async () => {
    here.fleet.node("n2").maintenanceFile = "on site";
    await waitFor("the file to be seen", async () => (await here.run(["nodes"])).out.includes("draining"));
    const ended = await here.run(["undrain", "n2"]);
    expect(ended.code).to.equal(4);
    expect(ended.out).to.contain("a file still asks for it (on site)");
  });
});
