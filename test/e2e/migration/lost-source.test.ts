import { expect } from "chai";
import { readMigration } from "../../../platform/migration-record.js";
import { settleLostSources } from "../../../scheduler/act/settle-lost.js";
import { waitFor } from "../../support/wait-for.js";
import { withHeldCriu } from "../support/broken-program.js";
import { expectKept } from "../support/expect-kept.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND } from "../support/moving-fleet.js";
import { useRenewedFleet } from "../support/renewed-fleet.js";
import { startTickingFleet } from "../support/ticking-fleet.js";
import { TICKER, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const NAME = TICKER.name;

/** What forgetting a node does to its open records, done while its executor is dead, which then comes back all the same. */
describe("A migration whose source is given up for lost and comes back", function () {
  this.timeout(600_000);
  let ticks: Ticks;
  let here: string;

  async function start(): Promise<MovingFleet> {
    here = FIRST;
    const started = await startTickingFleet("e2e-lost-source");
    ticks = started.ticks;
    return started.moving;
  }

  const moving = useRenewedFleet(start);
  const other = () => (here === FIRST ? SECOND : FIRST);

  for (const [stage, outcome] of [
    ["prepare", "aborted"],
    ["freeze", "aborted"],
    ["transfer", "aborted"],
    ["committed", "committed"],
    ["resume", "committed"],
  ] as const) {
    it(`has one good copy all along and in the end when that happens at ${stage}`, async () => {
      const { fleet } = moving();
      const moment = await listenForStage(fleet, stage);
      try {
        const giveUp = async () => {
          const begun = await moving().begin(NAME, here, other());
          await moment.reached;
          await fleet.lab.node(here).service("executor")!.kill("SIGKILL");
          const settled = await settleLostSources({ redis: fleet.redis, keys: fleet.keys, term: 0 }, (node) => node !== here);
          expect(settled).to.deep.equal([begun]);
          return begun;
        };
        const id = await (outcome === "committed" ? giveUp() : withHeldCriu(fleet.lab.node(other()), giveUp));
        const record = (await readMigration(fleet.redis, fleet.keys, id))!;
        expect(record).to.include({ outcome, result: outcome === "committed" ? "succeeded" : "failed" });
        // Without its source the destination ends its half by the record.
        if (outcome === "committed") await moving().answersOn(NAME);
        await waitFor("the destination to be done", async () => {
          const { stdout } = await fleet.lab.node(other()).exec(["sh", "-c", "ls /run/evenkeel/incoming 2>/dev/null; true"]);
          return stdout === "";
        });
        await moving().startExecutor(here);
        here = outcome === "committed" ? record.to : record.from;
        await settledOn(fleet, NAME, here);
        expectKept(await moving().answersOn(NAME));
        await ticks.goOn();
        expect(woundBack(await ticks.read())).to.deep.equal([]);
        const { HostConfig } = await fleet.lab.node(here).docker.getContainer(NAME).inspect();
        expect(HostConfig.RestartPolicy?.Name).to.equal("unless-stopped");
      } finally {
        moment.close();
      }
    });
  }

  it("can be made again afterwards, there and back", async () => {
    for (let round = 0; round < 2; round++) {
      const { to } = await moving().moveWell(NAME, here, other());
      here = to;
      await settledOn(moving().fleet, NAME, here);
    }
  });
});
