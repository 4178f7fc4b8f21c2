import { expect } from "chai";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { withoutRestoreOf } from "../support/broken-program.js";
import { expectKept } from "../support/expect-kept.js";
import { killedAt } from "../support/killed-at.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { OWNER, SECOND_SIDE_CAR, SIDE_CAR, startSideCars } from "../support/side-car.js";
import { settledOn } from "../support/traces.js";

/** Brings their image to the node, and stays: nobody moves it with them. */
const BYSTANDER = WORKLOADS.find(({ name }) => name === "burner")!;
const SIDE_CARS = [SIDE_CAR, SECOND_SIDE_CAR];
const ALL = [OWNER, ...SIDE_CARS];
const NAMES = ALL.map(({ name }) => name);

describe("Containers that share a network", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let here = FIRST;

  before(async () => {
    moving = await startMovingFleet("e2e-side-car", [BYSTANDER], { asked: ALL, beside: (fleet) => startSideCars(fleet, SIDE_CARS) });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const other = () => (here === FIRST ? SECOND : FIRST);
  const wordsOf = (records: readonly MigrationRecord[]) =>
    records.map(({ name, errorCode, errorMessage }) => `${name} ${errorCode}: ${errorMessage}`);

  /** All on one node, the side-cars in the owner's network, each with its connection, and nothing else left. Returns their records. */
  async function endTogether(ids: readonly string[]) {
    const records = await Promise.all(ids.map((id) => moving.closed(id)));
    expect(new Set(records.map(({ outcome }) => outcome)).size, wordsOf(records).join("\n")).to.equal(1);
    here = records[0]!.outcome === "committed" ? records[0]!.to : records[0]!.from;
    for (const name of NAMES) {
      await settledOn(moving.fleet, name, here);
      expectKept(await moving.answersOn(name));
    }
    const { docker, exec } = moving.fleet.lab.node(here);
    const [owner, ...sideCars] = await Promise.all(NAMES.map((name) => docker.getContainer(name).inspect()));
    for (const { HostConfig } of sideCars) expect(HostConfig.NetworkMode).to.equal(`container:${owner!.Id}`);
    const networks = await exec(["readlink", ...[owner!, ...sideCars].map(({ State }) => `/proc/${State.Pid}/ns/net`)]);
    expect(new Set(networks.stdout.trim().split("\n")).size).to.equal(1);
    expect(await moving.fleet.whereIs(BYSTANDER.name)).to.equal(FIRST);
    return records;
  }

  /** As the newest sample has them. */
  const sampled = (name: string) => moving.sampled(name, here);

  it("are one group to the scheduler, without a label", async () => {
    // A sample from before the side-cars were started shows their owner by itself.
    await waitFor("a sample that shows all as one group", async () => {
      const all = await Promise.all(NAMES.map(sampled));
      return all.every((each) => each?.labels["io.evenkeel.group"] === "network of owner");
    });
  });

  for (const _ of ["there", "back"]) {
    it(`move ${_} as one, and their connections and those between them go on`, async () => {
      const records = await endTogether(await moving.beginTogether(NAMES, here, other()));
      for (const record of records) expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", outcome: "committed" });
      const at = (stage: string) => records.map(({ timeline }) => timeline.find((entry) => entry.stage === stage)!.at);
      expect(Math.max(...at("freeze"))).to.be.at.most(Math.min(...at("transfer")));
    });
  }

  it("are not moved one without the other", async () => {
    for (const name of NAMES) {
      const record = await moving.move(name, here, other());
      expect(record.errorCode).to.equal("PREFLIGHT_BLOCKED");
      expect(record.blockers.map(({ code }) => code)).to.deep.equal(["shared-namespace"]);
    }
    for (const name of NAMES) await settledOn(moving.fleet, name, here);
  });

  for (const [broken, mark] of [
    ["side-cars", "create_connection"],
    ["second side-car", "7002"],
    ["owner", "pair.py"],
  ] as const) {
    it(`all stay when the ${broken} cannot be restored`, async () => {
      const ids = await withoutRestoreOf(moving.fleet.lab.node(other()), mark, async () => {
        const begun = await moving.beginTogether(NAMES, here, other());
        await Promise.all(begun.map((id) => moving.closed(id)));
        return begun;
      });
      const records = await endTogether(ids);
      expect(records.map(({ result }) => result)).to.not.include("succeeded");
      expect(wordsOf(records).join("\n")).to.include("RESTORE_FAILED");
    });
  }

  for (const [side, stage] of [
    ["source", "freeze"],
    ["source", "committed"],
    ["destination", "restore"],
    ["destination", "committed"],
  ] as const) {
    it(`end on one side when the ${side}'s executor is killed at ${stage}`, async () => {
      const node = side === "source" ? here : other();
      const ids = await killedAt(moving, stage, node, () => moving.beginTogether(NAMES, here, other()));
      await endTogether(ids);
    });
  }

  it("are not moved when the side-cars are left in a network that its owner has left", async () => {
    await moving.restart(OWNER.name, here);
    const records = await Promise.all((await moving.beginTogether(NAMES, here, other())).map((id) => moving.closed(id)));
    const blockers = records.flatMap((record) => record.blockers.map(({ code, message }) => `${record.name} ${code}: ${message}`));
    // Whichever is looked at first calls the others off.
    const left = SIDE_CARS.map(
      ({ name }) => `${name} shared-namespace: owner has been restarted, and it is left in the network that was there before`,
    );
    expect(blockers, wordsOf(records).join("\n")).to.not.deep.equal([]);
    expect(left).to.include.members(blockers);
  });
});
