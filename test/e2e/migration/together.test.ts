import { expect } from "chai";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { withoutRestoreOf } from "../support/broken-program.js";
import { expectKept } from "../support/expect-kept.js";
import { killedAt } from "../support/killed-at.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { recordTicks, TICKER, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const PAIR = WORKLOADS.find(({ name }) => name === "pair")!;
const BURNER = WORKLOADS.find(({ name }) => name === "burner")!;
const GROUP = [TICKER, PAIR, BURNER];
const NAMES = GROUP.map(({ name }) => name);

describe("Workloads that move as one", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let ticks: Ticks;
  let here = FIRST;

  before(async () => {
    moving = await startMovingFleet("e2e-together", GROUP, {
      before: async (fleet) => {
        ticks = await recordTicks(fleet.lab);
      },
    });
    await ticks.goOn();
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const other = () => (here === FIRST ? SECOND : FIRST);

  /** All of them on one node, each alone, with its connection and memory and files, and nothing else left. Returns their records. */
  async function endTogether(ids: readonly string[]) {
    const records = await Promise.all(ids.map((id) => moving.closed(id)));
    const words = records.map(({ name, outcome, errorMessage }) => `${name} ${outcome}: ${errorMessage}`).join("\n");
    expect(new Set(records.map(({ outcome }) => outcome)).size, words).to.equal(1);
    here = records[0]!.outcome === "committed" ? records[0]!.to : records[0]!.from;
    for (const name of NAMES) {
      await settledOn(moving.fleet, name, here);
      expectKept(await moving.answersOn(name));
    }
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
    return records;
  }

  it("are all frozen before the first is sent, and commit at one instant", async () => {
    const records = await endTogether(await moving.beginTogether(NAMES, here, other()));
    for (const record of records) expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", outcome: "committed" });
    const at = (stage: string) => records.map(({ timeline }) => timeline.find((entry) => entry.stage === stage)!.at);
    expect(Math.max(...at("freeze"))).to.be.at.most(Math.min(...at("transfer")));
    const audit = await moving.fleet.redis.xrange(moving.fleet.keys.audit, "-", "+");
    const commits = audit.map(([, fields]) => fields).filter((fields) => fields[fields.indexOf("kind") + 1] === "committed");
    expect(new Set(commits.map((fields) => fields[fields.indexOf("at") + 1])).size).to.equal(1);
    expect(commits.length).to.equal(NAMES.length);
  });

  it("all stay when one of them cannot be restored", async () => {
    const ids = await withoutRestoreOf(moving.fleet.lab.node(other()), "pair.py", async () => {
      const begun = await moving.beginTogether(NAMES, here, other());
      await Promise.all(begun.map((id) => moving.closed(id)));
      return begun;
    });
    const records = await endTogether(ids);
    expect(records.map(({ name, errorCode }) => `${name} ${errorCode}`).sort()).to.deep.equal([
      "burner CANCELLED",
      "pair RESTORE_FAILED",
      "ticker CANCELLED",
    ]);
  });

  for (const [side, stage] of [
    ["source", "transfer"],
    ["source", "committed"],
    ["destination", "restore"],
  ] as const) {
    it(`end on one side when the ${side}'s executor is killed at ${stage}`, async () => {
      const node = side === "source" ? here : other();
      const ids = await killedAt(moving, stage, node, () => moving.beginTogether(NAMES, here, other()));
      await endTogether(ids);
    });
  }

  it("can be moved one by one as well", async () => {
    for (const name of NAMES) await moving.moveWell(name, here, other());
    here = other();
    for (const name of NAMES) await settledOn(moving.fleet, name, here);
  });
});
